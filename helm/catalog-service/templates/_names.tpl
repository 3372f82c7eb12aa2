{{/* Names and labels. */}}

{{- define "catalog.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* Cut to 40 characters: names of CronJobs add a role and a source, and may have 52. */}}
{{- define "catalog.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains (include "catalog.name" .) .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "catalog.name" .) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
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
app.kubernetes.io/version: {{ $root.Values.image.tag | default $root.Chart.AppVersion | trunc 63 | quote }}
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
