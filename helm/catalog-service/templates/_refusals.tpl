{{/*
Values that go together wrongly, where values.schema.json cannot say so: nothing is rendered then. In: the root context.
*/}}
{{- define "catalog.refusals" -}}
{{- $redis := .Values.redis -}}
{{- $keys := omit $redis.keys "password" -}}
{{- if ne $redis.keys.password "password" -}}{{- $keys = $redis.keys -}}{{- end -}}
{{- if not $redis.existingSecret -}}
{{- range $name, $key := $keys -}}
{{- if $key -}}{{- fail (printf "redis.keys.%s is a key of redis.existingSecret: set that too" $name) -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- range $name := list "cert" "key" -}}
{{- if and (index $redis.tls $name) (not (and $redis.tls.existingSecret $redis.tls.cert $redis.tls.key)) -}}
{{- fail (printf "redis.tls.%s needs redis.tls.existingSecret, and cert and key both" $name) -}}
{{- end -}}
{{- end -}}
{{- if not (or .Values.valkey.enabled $redis.url $redis.keys.url) -}}
{{- fail "a Redis is needed: set redis.url, redis.keys.url with redis.existingSecret, or valkey.enabled" -}}
{{- end -}}
{{- range $name := list "encryptionKey" "operatorToken" "smtpUrl" -}}
{{- if and $.Values.secrets.existingSecret (index $.Values.secrets $name) -}}
{{- fail (printf "secrets.%s would be ignored: put it into the Secret secrets.existingSecret" $name) -}}
{{- end -}}
{{- end -}}
{{- with .Values.serve.autoscaling -}}
{{- if and .enabled (gt (int .min) (int .max)) -}}
{{- fail (printf "serve.autoscaling.min (%v) is more than max (%v)" .min .max) -}}
{{- end -}}
{{- end -}}
{{- $names := list -}}
{{- range .Values.sync.sources -}}
{{- if has .name $names -}}{{- fail (printf "sync.sources names %s twice" .name) -}}{{- end -}}
{{- $names = append $names .name -}}
{{- end -}}
{{- if not (regexMatch "^[a-z]" (include "catalog.fullname" .)) -}}
{{- fail "names of Services begin with a letter, and this release's with none: set fullnameOverride" -}}
{{- end -}}
{{- end -}}
