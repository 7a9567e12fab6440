const forms =
  /\$?\{\{[^{}]*\}\}|\{%[^%]*%\}|\$\$\{[^{}]*\}|\$\([A-Za-z_][\w.-]*\)|#\{[\w.-]+\}#?|__[A-Z][A-Z0-9_]*__|%[A-Z][A-Z0-9_]+%|@@?[A-Z][A-Z0-9_]+@@?|<(?:path|vault|secret):[^<>]+>|^\$[a-z_]\w*$/g

/**
 * What other tools than a shell were to fill in: Jinja, Ansible, Argo and workflows (`{{ x }}`, `${{ x }}`), escapes of Flux and
 * Terraform (`$${x}`), Kustomize and Azure's pipelines (`$(X)`), replace-tokens (`#{X}#`, `__X__`, `%X%`, `@@X@@`),
 * argocd-vault-plugin (`<path:x>`), envsubst (`$x`).
 */
export function ofOtherTools(text: string): readonly string[] {
  return [...text.matchAll(forms)].map(([found]) => found)
}
