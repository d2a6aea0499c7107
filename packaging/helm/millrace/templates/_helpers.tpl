{{- define "millrace.labels" -}}
app.kubernetes.io/name: millrace
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "millrace.metadata" -}}
name: {{ .root.Release.Name }}-{{ .component }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "millrace.labels" . | nindent 2 }}
  app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
{{- end }}

{{- define "millrace.image" -}}
image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- end }}

{{- define "millrace.serverUrl" -}}
{{- if .Values.agent.serverUrl -}}
{{ .Values.agent.serverUrl }}
{{- else if not .Values.server.enabled -}}
{{ fail "agent.serverUrl is needed where server.enabled is false" }}
{{- else -}}
{{ ternary "https" "http" .Values.tls.enabled }}://{{ .Release.Name }}-server.{{ .Release.Namespace }}.svc:{{ .Values.server.service.port }}
{{- end }}
{{- end }}

{{/* Names that the server is asked by: its Service's, and those from outside. */}}
{{- define "millrace.hosts" -}}
{{- $name := printf "%s-server" .Release.Name -}}
{{- $space := printf "%s.%s" $name .Release.Namespace -}}
{{- concat (list $name $space (printf "%s.svc" $space) (printf "%s.svc.cluster.local" $space)) .Values.server.hosts | join "," -}}
{{- end }}

{{- /* Tokens and certificates need no new pod: they are read again when they change. */}}
{{- define "millrace.podMetadata" -}}
labels:
  {{- include "millrace.labels" . | nindent 2 }}
{{- with .annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
