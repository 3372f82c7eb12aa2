{{/* Names and labels. What is cut may not end where a word does: trimAll. */}}

{{- define "catalog.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 40 | trimAll "-" -}}
{{- end -}}

{{/*
Cut to 40 characters: names of CronJobs add a role and a source, and may have 52. Those of Services have no dots, those of
releases may.
*/}}
{{- define "catalog.fullname" -}}
{{- $name := printf "%s-%s" .Release.Name (include "catalog.name" .) -}}
{{- if contains (include "catalog.name" .) .Release.Name }}{{ $name = .Release.Name }}{{ end -}}
{{- .Values.fullnameOverride | default $name | replace "." "-" | trunc 40 | trimAll "-" -}}
{{- end -}}

{{/* A text as the value of a label. */}}
{{- define "catalog.label" -}}
{{- . | trunc 63 | trimAll "-_." -}}
{{- end -}}

{{/* Labels that select: of all pods of the release; with (list $ "serve") of one role. */}}
{{- define "catalog.selector" -}}
{{- if kindIs "slice" . -}}
{{ include "catalog.selector" (index . 0) }}
app.kubernetes.io/component: {{ index . 1 }}
{{- else -}}
app.kubernetes.io/name: {{ include "catalog.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}
{{- end -}}

{{/* Labels of an object: of the release; with (list $ "serve") of one role. */}}
{{- define "catalog.labels" -}}
{{- $root := . -}}
{{- if kindIs "slice" . }}{{ $root = first . }}{{ end -}}
{{ include "catalog.selector" . }}
app.kubernetes.io/version: {{ include "catalog.label" ($root.Values.image.tag | default $root.Chart.AppVersion) | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "catalog.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (.Values.serviceAccount.create | ternary (include "catalog.fullname" .) "default") -}}
{{- end -}}

{{/* repository@digest, or repository:tag. In: (list image default-tag). */}}
{{- define "catalog.image" -}}
{{- $image := first . -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ $image.tag | default (last .) }}
{{- end -}}
{{- end -}}
