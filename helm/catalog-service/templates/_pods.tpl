{{/* Pods: what serve, notify and sync have in common, at the restricted level of the Pod Security Standards. */}}

{{/* A Deployment. In: root, role, args, values (of the role), replicas (nil: an autoscaler's), preStop_s. */}}
{{- define "catalog.deployment" -}}
{{- $root := .root -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "catalog.fullname" $root }}-{{ .role }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- include "catalog.labels" (list $root .role) | nindent 4 }}
  annotations:
    {{- include "catalog.skips" (dict "root" $root "image" $root.Values.image "env" true) | trim | nindent 4 }}
spec:
  {{- if not (kindIs "invalid" .replicas) }}
  replicas: {{ .replicas }}
  {{- end }}
  revisionHistoryLimit: 3
  strategy:
    type: RollingUpdate
    rollingUpdate:
      maxSurge: 1
      maxUnavailable: 0
  selector:
    matchLabels:
      {{- include "catalog.selector" (list $root .role) | nindent 6 }}
  template:
    {{- include "catalog.podTemplate" . | nindent 4 }}
{{- end -}}

{{/* A pod template. In: as catalog.deployment; job: of a Job, without ports and probes. */}}
{{- define "catalog.podTemplate" -}}
{{- $root := .root -}}
{{- $pod := $root.Values.pod -}}
metadata:
  labels:
    {{- include "catalog.selector" (list $root .role) | nindent 4 }}
    {{- if not .job }}
    catalog-service/metrics: "yes"
    {{- end }}
    {{- with $pod.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    checksum/config: {{ include "catalog.config" $root | sha256sum }}
    {{- $given := pick $root.Values.secrets "encryptionKey" "operatorToken" "smtpUrl" }}
    {{- if $root.Values.valkey.enabled }}{{ $given = set $given "valkey" $root.Values.valkey.password }}{{ end }}
    {{- with include "catalog.givenSecrets" (list $root $given) }}
    {{- . | nindent 4 }}
    {{- end }}
    {{- with $pod.annotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  {{- if .job }}
  restartPolicy: Never
  {{- end }}
  serviceAccountName: {{ include "catalog.serviceAccount" $root }}
  automountServiceAccountToken: false
  # Variables of Services would be read as settings: CATALOG_PORT=tcp://...
  enableServiceLinks: false
  {{- with $root.Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  # Longer than what is under way may take, so that nothing is killed before it gave up by itself.
  terminationGracePeriodSeconds: {{ add (.preStop_s | default 0) (ceil ($root.Values.config.grace_s | default 10)) 10 }}
  securityContext:
    {{- include "catalog.podSecurity" $pod.userId | nindent 4 }}
  containers:
    - name: {{ .role }}
      image: {{ include "catalog.image" (list $root.Values.image $root.Chart.AppVersion) }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      command: [catalog-service]
      args: {{ toJson .args }}
      envFrom:
        - configMapRef:
            name: {{ include "catalog.fullname" $root }}
        {{- with $pod.extraEnvFrom }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      env:
        # For a user that the image does not know.
        - name: HOME
          value: /tmp
        {{- if eq .role "serve" }}
        - name: CATALOG_PORT
          value: "8080"
        {{- end }}
        {{- if not .job }}
        - name: CATALOG_METRICS_PORT
          value: "9090"
        {{- end }}
        {{- with include "catalog.secretEnv" (list $root .role) | trim }}
        {{- . | nindent 8 }}
        {{- end }}
        {{- with $pod.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- if not .job }}
      ports:
        {{- if eq .role "serve" }}
        - name: http
          containerPort: 8080
        {{- end }}
        - name: metrics
          containerPort: 9090
      startupProbe:
        httpGet: {path: /healthz, port: metrics}
        periodSeconds: 2
        failureThreshold: 60
      livenessProbe:
        httpGet: {path: /healthz, port: metrics}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        httpGet: {path: /readyz, port: metrics}
        periodSeconds: 5
        timeoutSeconds: 5
      {{- end }}
      {{- with .preStop_s }}
      lifecycle:
        preStop:
          sleep: {seconds: {{ . }}}
      {{- end }}
      resources:
        {{- toYaml .values.resources | nindent 8 }}
      securityContext:
        {{- include "catalog.containerSecurity" . | nindent 8 }}
      volumeMounts:
        - name: tmp
          mountPath: /tmp
        {{- if include "catalog.redisTls" $root }}
        - name: redis-tls
          mountPath: /etc/catalog/redis-tls
          readOnly: true
        {{- end }}
        {{- with $pod.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    - name: tmp
      emptyDir: {sizeLimit: 256Mi}
    {{- with include "catalog.redisTls" $root }}
    - name: redis-tls
      secret:
        secretName: {{ . }}
        defaultMode: 0440
    {{- end }}
    {{- with $pod.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with include "catalog.placement" . | trim }}
  {{- . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* Where pods run. In: root, role; job or alone: there is one at a time, not to be spread. */}}
{{- define "catalog.placement" -}}
{{- $pod := .root.Values.pod -}}
{{- $places := pick $pod "affinity" "nodeSelector" "tolerations" -}}
{{- if not (or .job .alone) -}}
{{- $selector := dict "matchLabels" (include "catalog.selector" (list .root .role) | fromYaml) -}}
{{- $spread := list -}}
{{- range $pod.topologySpread -}}
{{- $spread = append $spread (merge (dict "labelSelector" $selector "matchLabelKeys" (list "pod-template-hash")) .) -}}
{{- end -}}
{{- $apart := dict "labelSelector" $selector "topologyKey" "kubernetes.io/hostname" -}}
{{- $ways := dict
      "hard" (dict "requiredDuringSchedulingIgnoredDuringExecution" (list $apart))
      "soft" (dict "preferredDuringSchedulingIgnoredDuringExecution" (list (dict "weight" 100 "podAffinityTerm" $apart))) -}}
{{- $places = set $places "topologySpreadConstraints" $spread -}}
{{- with $pod.antiAffinity -}}
{{- $places = set $places "affinity" (merge (dict "podAntiAffinity" (index $ways .)) $pod.affinity) -}}
{{- end -}}
{{- end -}}
{{- range $name, $value := $places }}
{{- with $value }}
{{ $name }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- with $pod.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}

{{/* In: the user, or nil where the platform assigns one. */}}
{{- define "catalog.podSecurity" -}}
runAsNonRoot: true
{{- if not (kindIs "invalid" .) }}
runAsUser: {{ int64 . }}
runAsGroup: {{ int64 . }}
fsGroup: {{ int64 . }}
fsGroupChangePolicy: OnRootMismatch
{{- end }}
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "catalog.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{/* The Secret with certificates for Redis, if any. */}}
{{- define "catalog.redisTls" -}}
{{- if not .Values.valkey.enabled -}}
{{- .Values.redis.tls.existingSecret -}}
{{- end -}}
{{- end -}}
