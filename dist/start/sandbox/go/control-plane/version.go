package main

import (
	"fmt"

	"github.com/spf13/cobra"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	apimachineryversion "k8s.io/apimachinery/pkg/version"
	"k8s.io/apiserver/pkg/util/compatibility"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	basecompatibility "k8s.io/component-base/compatibility"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
)

// servedVersion answers /version with the emulated release, in the form that EKS gives it (v1.32.4-eks-...).
//
// kube-apiserver itself says its own release there, whatever it emulates. Karpenter and helm read /version, and on a
// cluster of an older release they must find the older release.
type servedVersion struct {
	basecompatibility.MutableEffectiveVersion
}

func (v servedVersion) Info() *apimachineryversion.Info {
	info := v.MutableEffectiveVersion.Info()
	emulated := v.EmulationVersion()
	if info == nil || emulated == nil {
		return info
	}
	info.Major = fmt.Sprint(emulated.Major())
	info.Minor = fmt.Sprint(emulated.Minor())
	info.GitVersion = fmt.Sprintf("v%d.%d.%d-eks-sandbox", emulated.Major(), emulated.Minor(), v.BinaryVersion().Patch())
	return info
}

func newAPIServerCommand() *cobra.Command {
	registry := compatibility.DefaultComponentGlobalsRegistry
	registry.Reset()
	version := servedVersion{compatibility.DefaultBuildEffectiveVersion()}
	utilruntime.Must(registry.Register(basecompatibility.DefaultKubeComponent, version, utilfeature.DefaultMutableFeatureGate))
	return apiserver.NewAPIServerCommand()
}
