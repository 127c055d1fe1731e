package importer

import (
	"errors"
	"regexp"
	"slices"
	"strings"
)

// Environment is an .env of this gateway.
type Environment struct {
	// Text has the lines of the old file in their order. What has no effect here
	// is commented out, with the reason.
	Text []byte
	// Kept, Renamed and Dropped are names of variables.
	Kept, Renamed, Dropped []string
}

// PythonEnv turns the .env of the Python gateway into one of this gateway.
// Variables that models.yaml may refer to stay as they are.
func PythonEnv(text []byte) (*Environment, error) {
	e := Environment{Kept: []string{}, Renamed: []string{}, Dropped: []string{}}
	var out strings.Builder
	given := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		m := assignment.FindStringSubmatch(strings.TrimRight(line, "\r\n"))
		if m == nil {
			out.WriteString(line)
			continue
		}
		name, rest := m[2], m[3]
		given[name] = true
		switch {
		case successor(name) != "":
			e.Renamed = append(e.Renamed, name)
			out.WriteString(m[1] + successor(name) + rest + "\n")
		case obsolete(name) != "":
			e.Dropped = append(e.Dropped, name)
			out.WriteString("# " + obsolete(name) + "\n#" + name + rest + "\n")
		default:
			e.Kept = append(e.Kept, name)
			out.WriteString(line)
		}
	}
	if len(given) == 0 {
		return nil, errors.New("it has no line of the form NAME=value")
	}
	if given["DB_HOST"] || given["DB_PASSWORD"] { // the other one's defaults
		if !strings.HasSuffix(out.String(), "\n") {
			out.WriteString("\n")
		}
		for _, d := range []struct{ name, value string }{{"DB_NAME", "freeinference_db"}, {"DB_USER", "postgres"}} {
			if !given[d.name] {
				out.WriteString(d.name + "=" + d.value + " # the Python gateway's default\n")
			}
		}
	}
	e.Text = []byte(out.String())
	for _, names := range []*[]string{&e.Kept, &e.Renamed, &e.Dropped} {
		slices.Sort(*names)
		*names = slices.Compact(*names)
	}
	return &e, nil
}

var assignment = regexp.MustCompile(`^(\s*(?:export\s+)?)([A-Za-z_][A-Za-z0-9_]*)(\s*=.*)$`)

// successor is the name of a setting that has another one here.
func successor(name string) string {
	switch name {
	case "DB_DUAL_WRITE":
		return "D1_DUAL_WRITE"
	case "MODELS_CONFIG_PATH":
		return "MODELS_CONFIG"
	case "REQUEST_TIMEOUT_SECONDS":
		return "REQUEST_DEADLINE_SECONDS"
	}
	return ""
}

// obsolete is why a variable of the Python gateway has no effect here, "" for
// one that may have one.
func obsolete(name string) string {
	for prefix, why := range map[string]string{
		"JWT_": accounts, "COOKIE_": accounts, "SIGNUP_": accounts, "LOGIN_": accounts, "TURNSTILE_": accounts, "SMTP_": accounts, "FRONTEND_": accounts, "ADMIN_EMAILS": accounts,
		"SLACK_": "alerts go to ALERT_WEBHOOK_URL, and through Prometheus", "ALERTS_": "alerts go to ALERT_WEBHOOK_URL, and through Prometheus",
		"R2_": "no archive in R2: LOG_RETENTION_DAYS and ROLLUP_RETENTION_DAYS bound the log", "QDRANT_": "no vector store",
		"PROBER_": "nodes probe by themselves: health_check in routing.yaml", "ENABLE_ROUTEWISE": "traffic is split by weight", "EXPERIMENT_MODE": "traffic is split by weight",
		"LOG_FILE": "the log goes to stderr", "LOG_FULL_PAYLOAD": "payloads are never in the process log: DB_STORE_FULL_CONTENT stores them in the database",
		"DB_ENABLED": "there is always a request log", "STREAM_REQUEST_TIMEOUT_SECONDS": "a stream may take REQUEST_DEADLINE_SECONDS",
		"MINIMAX_SESSION_COOKIE": quotas, "MINIMAX_GROUP_ID": quotas, "OLLAMA_SESSION_COOKIE": quotas, "OFFLOAD": "never had an effect",
	} {
		if strings.HasPrefix(name, prefix) {
			return why
		}
	}
	return ""
}

const (
	accounts = "no accounts or web sign-up: keys are made with `gatewayctl keys create`, operators with `gatewayctl operators create`"
	quotas   = "providers' quotas are not read from their web pages"
)
