#!/usr/bin/env bash
# What people run by Karpenter's getting-started guide, for a cluster that is there: the stack, whoever may join, the
# controller's identity, the tags, the chart, a NodePool. Each step in the guide's own words is one command of awscli,
# eksctl, helm or kubectl; what only fails where it was done before is looked for first, so that it can be run again.
# Given: CLUSTER_NAME, AWS_REGION, KARPENTER_VERSION, KARPENTER_CHART, TEMPLATE (a file), SUBNETS and SECURITY_GROUP.
set -euo pipefail

namespace=kube-system
account=$(aws sts get-caller-identity --query Account --output text)
aws eks update-kubeconfig --name "$CLUSTER_NAME"

aws cloudformation deploy \
  --stack-name "Karpenter-$CLUSTER_NAME" \
  --template-file "$TEMPLATE" \
  --capabilities CAPABILITY_NAMED_IAM \
  --no-fail-on-empty-changeset \
  --parameter-overrides "ClusterName=$CLUSTER_NAME"

# shellcheck disable=SC2086 # ids, one word each
aws ec2 create-tags --resources $SUBNETS "$SECURITY_GROUP" --tags "Key=karpenter.sh/discovery,Value=$CLUSTER_NAME"

# An account that has had spot instances has it.
aws iam create-service-linked-role --aws-service-name spot.amazonaws.com || true

node_role=arn:aws:iam::$account:role/KarpenterNodeRole-$CLUSTER_NAME
if ! aws eks describe-access-entry --cluster-name "$CLUSTER_NAME" --principal-arn "$node_role"; then
  aws eks create-access-entry --cluster-name "$CLUSTER_NAME" --principal-arn "$node_role" --type EC2_LINUX
fi

if ! eksctl get addon --cluster "$CLUSTER_NAME" --name eks-pod-identity-agent; then
  eksctl create addon --cluster "$CLUSTER_NAME" --name eks-pod-identity-agent
fi

policies=
for part in NodeLifecycle IAMIntegration EKSIntegration Interruption ResourceDiscovery ZonalShift; do
  policies+=${policies:+,}arn:aws:iam::$account:policy/KarpenterController${part}Policy-$CLUSTER_NAME
done
associations=$(eksctl get podidentityassociation --cluster "$CLUSTER_NAME" --namespace "$namespace" --output json || true)
if [[ $associations != *'"ServiceAccountName": "karpenter"'* ]]; then
  eksctl create podidentityassociation --cluster "$CLUSTER_NAME" \
    --namespace "$namespace" --service-account-name karpenter \
    --role-name "$CLUSTER_NAME-karpenter" --permission-policy-arns "$policies"
fi

# A stale login is the most common reason for which the pull of a public chart fails.
helm registry logout public.ecr.aws || true
helm upgrade --install karpenter "$KARPENTER_CHART" --version "$KARPENTER_VERSION" \
  --namespace "$namespace" --plain-http \
  --set "settings.clusterName=$CLUSTER_NAME" \
  --set "settings.interruptionQueue=$CLUSTER_NAME" \
  --set controller.resources.requests.cpu=1 \
  --set controller.resources.requests.memory=1Gi \
  --set controller.resources.limits.cpu=1 \
  --set controller.resources.limits.memory=1Gi \
  --wait

kubectl apply -f - <<MANIFESTS
apiVersion: karpenter.sh/v1
kind: NodePool
metadata:
  name: default
spec:
  template:
    spec:
      requirements:
        - {key: kubernetes.io/os, operator: In, values: [linux]}
        - {key: kubernetes.io/arch, operator: In, values: [amd64]}
        - {key: karpenter.sh/capacity-type, operator: In, values: [on-demand]}
        - {key: karpenter.k8s.aws/instance-category, operator: In, values: [c, m, r]}
        - {key: karpenter.k8s.aws/instance-generation, operator: Gt, values: ["2"]}
      nodeClassRef: {group: karpenter.k8s.aws, kind: EC2NodeClass, name: default}
      expireAfter: 720h
  limits:
    cpu: 1000
  disruption:
    consolidationPolicy: WhenEmptyOrUnderutilized
    consolidateAfter: 1m
---
apiVersion: karpenter.k8s.aws/v1
kind: EC2NodeClass
metadata:
  name: default
spec:
  role: KarpenterNodeRole-$CLUSTER_NAME
  amiSelectorTerms: [{alias: al2023@latest}]
  subnetSelectorTerms: [{tags: {karpenter.sh/discovery: $CLUSTER_NAME}}]
  securityGroupSelectorTerms: [{tags: {karpenter.sh/discovery: $CLUSTER_NAME}}]
MANIFESTS
