{{/*
What checkov would refuse, and why it stays so; as annotations, where checkov reads them. In: root, image, and what fits:
env (reads secrets from the environment), once (runs once and ends).
*/}}
{{- define "catalog.skips" -}}
{{- $skips := list -}}
{{- if .env -}}
{{- $skips = append $skips "CKV_K8S_35=the program reads its settings from the environment; these come from Secrets" -}}
{{- end -}}
{{- if .once -}}
{{- $skips = append $skips "CKV_K8S_8=it runs once and ends" -}}
{{- $skips = append $skips "CKV_K8S_9=it runs once and ends" -}}
{{- end -}}
{{- if not .image.digest -}}
{{- $skips = append $skips "CKV_K8S_43=whoever deploys it pins the digest of the image they have (image.digest)" -}}
{{- end -}}
{{- if ne .root.Values.image.pullPolicy "Always" -}}
{{- $skips = append $skips "CKV_K8S_15=tags of releases do not move, and pods have to start while the registry is away" -}}
{{- end -}}
{{- if kindIs "invalid" .root.Values.pod.userId -}}
{{- $skips = append $skips "CKV_K8S_40=the platform assigns the user (pod.userId: null)" -}}
{{- end -}}
{{- range $number, $skip := $skips }}
checkov.io/skip{{ add1 $number }}: {{ $skip | quote }}
{{- end }}
{{- end -}}
