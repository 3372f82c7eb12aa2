{{/* Settings: where each comes from, and which role is given which secret. */}}

{{/* A setting as text: lists joined by commas, maps as JSON, whole numbers without an exponent. */}}
{{- define "catalog.setting" -}}
{{- if kindIs "slice" . -}}
{{- $texts := list -}}
{{- range . }}{{ $texts = append $texts (include "catalog.setting" .) }}{{ end -}}
{{- join "," $texts -}}
{{- else if kindIs "map" . -}}
{{- toJson . -}}
{{- else if and (kindIs "float64" .) (eq (floor .) .) -}}
{{- int64 . -}}
{{- else -}}
{{- toString . -}}
{{- end -}}
{{- end -}}

{{/* The ConfigMap's data. */}}
{{- define "catalog.config" -}}
{{- range $name, $value := .Values.config }}
{{- if not (kindIs "invalid" $value) }}
CATALOG_{{ upper $name }}: {{ include "catalog.setting" $value | quote }}
{{- end }}
{{- end }}
{{- if .Values.valkey.enabled }}
CATALOG_REDIS_URL: {{ printf "redis://%s-valkey:6379/0" (include "catalog.fullname" .) }}
{{- else if not (and .Values.redis.keys.url .Values.redis.existingSecret) }}
CATALOG_REDIS_URL: {{ quote .Values.redis.url }}
{{- end }}
{{- if not .Values.valkey.enabled }}
{{- with .Values.redis.tls }}
{{- if .existingSecret }}
{{- range $setting, $key := dict "CA" .ca "CERT" .cert "KEY" .key }}
{{- if $key }}
CATALOG_REDIS_TLS_{{ $setting }}: /etc/catalog/redis-tls/{{ $key }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Variables from secrets that a role needs. In: (list $ "serve"). */}}
{{- define "catalog.secretEnv" -}}
{{- $root := first . -}}
{{- $role := last . -}}
{{- $fullname := include "catalog.fullname" $root -}}
{{- with $root.Values.redis -}}
{{- if $root.Values.valkey.enabled }}
{{- include "catalog.secretVariable" (list "REDIS_PASSWORD" (printf "%s-valkey" $fullname) "password" false) }}
{{- else if .existingSecret }}
{{- $settings := dict "url" "URL" "username" "USERNAME" "password" "PASSWORD" "sentinelUsername" "SENTINEL_USERNAME" "sentinelPassword" "SENTINEL_PASSWORD" }}
{{- range $name, $setting := $settings }}
{{- with index $root.Values.redis.keys $name }}
{{- include "catalog.secretVariable" (list (printf "REDIS_%s" $setting) $root.Values.redis.existingSecret . false) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- with $root.Values.secrets }}
{{- if ne $role "sync" }}
{{- include "catalog.secretVariable" (list "ENCRYPTION_KEY" (.existingSecret | default (printf "%s-encryption" $fullname)) .keys.encryptionKey false) }}
{{- include "catalog.secretVariable" (list "SMTP_URL" (.existingSecret | default $fullname) .keys.smtpUrl true) }}
{{- end }}
{{- if eq $role "serve" }}
{{- include "catalog.secretVariable" (list "OPERATOR_TOKEN" (.existingSecret | default $fullname) .keys.operatorToken true) }}
{{- end }}
{{- end }}
{{- end -}}

{{/* In: (list SETTING secret key optional). */}}
{{- define "catalog.secretVariable" }}
- name: CATALOG_{{ index . 0 }}
  valueFrom:
    secretKeyRef:
      name: {{ index . 1 }}
      key: {{ index . 2 }}
      {{- if index . 3 }}
      optional: true
      {{- end }}
{{- end -}}

{{/*
The line of a digest of secrets that the values give, none without any: a change of them restarts the pods. Derived slowly
(scrypt), as annotations are for more eyes than Secrets. In: (list $ map).
*/}}
{{- define "catalog.givenSecrets" -}}
{{- $root := first . -}}
{{- $given := last . -}}
{{- if join "" (values $given) -}}
checksum/secrets: {{ derivePassword 1 "maximum" (toJson $given) $root.Release.Namespace (include "catalog.fullname" $root) | sha256sum }}
{{- end -}}
{{- end -}}

{{/*
What is kept in a generated Secret, else a new value, in Base64. In: (list $ secret key given new). A Secret that is there
without the key had it under another name: a new value would take the place of the one that is in use.
*/}}
{{- define "catalog.keptOrNew" -}}
{{- $root := index . 0 -}}
{{- $kept := lookup "v1" "Secret" $root.Release.Namespace (index . 1) -}}
{{- if index . 3 -}}
{{- index . 3 | b64enc -}}
{{- else if not $kept -}}
{{- index . 4 | b64enc -}}
{{- else -}}
{{- get ($kept.data | default dict) (index . 2) | required (printf "the Secret %s has no key %s: keys of generated Secrets cannot be renamed (secrets.keys), what it holds would be lost" (index . 1) (index . 2)) -}}
{{- end -}}
{{- end -}}
