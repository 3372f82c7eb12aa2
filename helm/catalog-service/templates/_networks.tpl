{{/* What each role is allowed, as the rules of a NetworkPolicy. In: the root context, unless said. */}}

{{- define "catalog.allowed.serve" -}}
ingress:
  - from:
      {{- with .Values.networkPolicy.httpFrom }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
      {{- include "catalog.peer" (list . "test") | nindent 6 }}
    ports: [{port: 8080}]
  {{- with include "catalog.scrapes" . }}
  {{- trim . | nindent 2 }}
  {{- end }}
egress:
  {{- include "catalog.toStore" . | nindent 2 }}
  {{- if .Values.networkPolicy.serveReachesSources }}
  {{- include "catalog.toSources" . | nindent 2 }}
  {{- end }}
  {{- with .Values.networkPolicy.extraEgress.serve }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "catalog.allowed.notify" -}}
ingress:
  {{- with include "catalog.scrapes" . }}
  {{- trim . | nindent 2 }}
  {{- end }}
egress:
  {{- include "catalog.toStore" . | nindent 2 }}
  {{- include "catalog.toSubscribers" . | nindent 2 }}
  {{- with .Values.networkPolicy.extraEgress.notify }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "catalog.allowed.sync" -}}
ingress:
  {{- with include "catalog.scrapes" . }}
  {{- trim . | nindent 2 }}
  {{- end }}
egress:
  {{- include "catalog.toStore" . | nindent 2 }}
  {{- include "catalog.toSources" . | nindent 2 }}
  {{- with .Values.networkPolicy.extraEgress.sync }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "catalog.allowed.test" -}}
egress:
  {{- include "catalog.toNameServers" . | nindent 2 }}
  - to:
      {{- include "catalog.peer" (list . "serve") | nindent 6 }}
    ports: [{port: 8080}]
{{- end -}}

{{- define "catalog.allowed.valkey" -}}
ingress:
  - from:
      {{- range list "serve" "notify" "sync" }}
      {{- include "catalog.peer" (list $ .) | nindent 6 }}
      {{- end }}
    ports: [{port: 6379}]
{{- end -}}

{{/* Whoever scrapes; without anybody no rule: one from nobody is one from everybody. */}}
{{- define "catalog.scrapes" -}}
{{- with .Values.networkPolicy.metricsFrom }}
- from:
    {{- toYaml . | nindent 4 }}
  ports: [{port: 9090}]
{{- end }}
{{- end -}}

{{- define "catalog.toStore" -}}
{{ include "catalog.toNameServers" . }}
{{- if .Values.valkey.enabled }}
- to:
    {{- include "catalog.peer" (list . "valkey") | nindent 4 }}
  ports: [{port: 6379}]
{{- else }}
- ports:
    {{- range include "catalog.redisPorts" . | fromJsonArray }}
    - port: {{ . }}
    {{- end }}
  {{- with .Values.networkPolicy.redisTo }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* The given ports and those of the address, as JSON; in an address without a port it is Redis' or the Sentinels' own. */}}
{{- define "catalog.redisPorts" -}}
{{- $ports := .Values.networkPolicy.redisPorts -}}
{{- $own := contains "+sentinel:" .Values.redis.url | ternary 26379 6379 -}}
{{- range .Values.redis.url | regexFind "//[^/]+" | trimPrefix "//" | splitList "," | compact -}}
{{- $ports = append $ports (regexFind ":[0-9]+$" . | trimPrefix ":" | default $own) -}}
{{- end -}}
{{- $numbers := list -}}
{{- range $ports }}{{ $numbers = append $numbers (int .) }}{{ end -}}
{{- $numbers | uniq | toJson -}}
{{- end -}}

{{- define "catalog.toNameServers" -}}
- ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]
  {{- with .Values.networkPolicy.dnsTo }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{- define "catalog.toSources" -}}
- to:
    {{- include "catalog.internet" . | nindent 4 }}
  ports: [{port: 443}]
{{- end -}}

{{/* Subscribers: on the ports of the settings, in the Internet and in the networks of the settings. */}}
{{- define "catalog.toSubscribers" -}}
- to:
    {{- include "catalog.internet" . | nindent 4 }}
    {{- range .Values.config.webhook_networks }}
    - ipBlock: {cidr: {{ quote . }}}
    {{- end }}
  ports:
    {{- range .Values.config.webhook_ports | default (list 443 8443) }}
    - port: {{ . }}
    {{- end }}
{{- end -}}

{{- define "catalog.internet" -}}
- ipBlock: {cidr: 0.0.0.0/0, except: {{ toJson .Values.networkPolicy.privateNetworks }}}
- ipBlock: {cidr: "2000::/3", except: {{ toJson .Values.networkPolicy.privateNetworks6 }}}
{{- end -}}

{{/* The pods of a role. In: (list $ "serve"). */}}
{{- define "catalog.peer" -}}
- podSelector:
    matchLabels:
      {{- include "catalog.selector" . | nindent 6 }}
{{- end -}}
