{{- define "gateway.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- /* (dict "root" $ "component" NAME) */}}
{{- define "gateway.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "gateway.labels" -}}
{{ include "gateway.selector" . }}
app.kubernetes.io/part-of: gateway
app.kubernetes.io/version: {{ .root.Values.image.tag | default .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{- /* (dict "root" $ "program" dataplane|controlplane) */}}
{{- define "gateway.image" -}}
{{- with .root.Values.image }}
image: {{ with .registry }}{{ . }}/{{ end }}gateway-{{ $.program }}:{{ .tag | default $.root.Chart.AppVersion }}
imagePullPolicy: {{ .pullPolicy }}
{{- end }}
{{- end }}

{{- define "gateway.pod" -}}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile: {type: RuntimeDefault}
{{- with .values.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "gateway.confined" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{- /* (dict "root" $ "values" VALUES "port" PORT): variables of every process; its own come last and win */}}
{{- define "gateway.env" -}}
{{- $set := dict "METRICS_ADDR" (printf "0.0.0.0:%v" .port) "NATS_URL" .root.Values.nats.url }}
{{- if .root.Values.nats.existingSecret }}
{{- $_ := set $set "NATS_CREDS" "/etc/gateway/nats/role.creds" }}
{{- $_ := set $set "NATS_CA" "/etc/gateway/nats/ca.pem" }}
{{- end }}
{{- range $name, $value := mergeOverwrite $set .more .root.Values.env .values.env }}
- {name: {{ $name }}, value: {{ $value | toString | quote }}}
{{- end }}
{{- end }}

{{- define "gateway.secretEnv" -}}
- name: {{ .name }}
  valueFrom: {secretKeyRef: {name: {{ .root.Values.secrets.existingSecret }}, key: {{ .name }}{{ if .optional }}, optional: true{{ end }}}}
{{- end }}

{{- define "gateway.databaseEnv" -}}
{{- with .Values.database }}
{{- dict "DB_HOST" .host "DB_PORT" .port "DB_NAME" .name "DB_USER" .user "DB_SSLMODE" .sslmode | toYaml }}
{{- end }}
{{- end }}

{{- /* (dict "root" $ "role" ROLE "key" FILE): what a role gets of the files of `gatewayctl nats setup` */}}
{{- define "gateway.natsVolume" -}}
{{- with .root.Values.nats.existingSecret }}
- name: nats
  secret:
    secretName: {{ . }}
    defaultMode: 0440
    items:
      - {key: ca.pem, path: ca.pem}
      - {key: {{ $.role }}.creds, path: role.creds}
      {{- with $.key }}
      - {key: {{ . }}, path: {{ . }}}
      {{- end }}
{{- end }}
{{- end }}

{{- define "gateway.natsMount" -}}
{{- if .Values.nats.existingSecret }}
- {name: nats, mountPath: /etc/gateway/nats, readOnly: true}
{{- end }}
{{- end }}

{{- define "gateway.configMap" -}}
{{ .Values.config.existingConfigMap | default (printf "%s-config" (include "gateway.name" .)) }}
{{- end }}
