package config_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/controlplane/config"
)

// Everything is set here: nothing may come out because it is missing.
func everything(name string) (string, bool) { return "value-of-" + name, true }

func model(rest string) config.Source {
	return config.Source{Name: "models.yaml", Text: []byte("models:\n  - id: m\n    provider: vllm\n    base_url: http://10.0.0.1:8000\n" + rest)}
}

// A release is seen by many: the gateway's own settings and secrets do not get
// into it, and a key does not go to whoever is named as the upstream.
func TestSettingsAndSecretsStayWhereTheyAre(t *testing.T) {
	f := func(rest, want string) {
		t.Helper()
		_, _, err := config.Parse(model(rest), config.Source{}, everything)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", rest, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "value-of") {
			t.Errorf("%s: the problem shows a value: %v", rest, err)
		}
	}
	own := " is a setting of the gateway and cannot be used in configuration files"
	f("    description: '${ADMIN_TOKEN}'\n", "models.yaml:5: models[0].description: ${ADMIN_TOKEN}"+own)
	f("    description: '${DB_DUAL_WRITE:-x}'\n", "${DB_DUAL_WRITE}"+own)
	f("    description: '${ADMIN_TOKEN_FILE}'\n", "${ADMIN_TOKEN_FILE}"+own)
	f("    api_key: '${API_KEY_SECRET}'\n", "models[0].api_key: ${API_KEY_SECRET}"+own)
	f("    api_keys: ['${A_KEY}', '${DB_PASSWORD}']\n", "models[0].api_keys[1]: ${DB_PASSWORD}"+own)
	f("    route: [{kind: vllm, extra_headers: {X: '${API_KEY_SECRET}'}}]\n", "route[0].extra_headers.X: ${API_KEY_SECRET}"+own)
	f("    route: [{kind: vllm, extra_body: {x: '${D1_API_TOKEN}'}}]\n", "route[0].extra_body.x: ${D1_API_TOKEN}"+own)
	published := " would publish a secret"
	f("    description: '${OTHER_TOKEN}'\n", "${OTHER_TOKEN}"+published)
	f("    name: 'a ${some_password}'\n", "${some_password}"+published)
	f("    provider_model_id: '${X_API_KEY2:-none}'\n", "${X_API_KEY2}"+published)
	f("    route: [{kind: vllm, base_url: 'http://${MY_SECRET}.example.com'}]\n", "${MY_SECRET}"+published)
	f("    route: [{kind: vllm, extra_headers: {X: 'Bearer ${X_TOKEN}'}}]\n", "${X_TOKEN}"+published)
	f("    route: [{kind: vllm, extra_body: {x: {y: '${X_TOKEN}'}}}]\n", "${X_TOKEN}"+published)
	f("    route: [{kind: vllm, extra_headers: {X: '${X_TOKEN}', Y: 'a${X_TOKEN}'}}]\n", "${X_TOKEN}"+published)
}

func TestSecretsOfHeadersAndBodiesTravelByName(t *testing.T) {
	files, _, err := config.Parse(model("    route: [{kind: vllm, extra_headers: {X-Plain: 'a ${REGION}', X-Secret: '${X_TOKEN}'}, extra_body: {plain: 1, token: '${Y_SECRET}'}}]\n"), config.Source{}, everything)
	if err != nil {
		t.Fatal(err)
	}
	r := files.Models.Models[0].Routes[0]
	if !maps.Equal(r.ExtraHeaders, map[string]string{"X-Plain": "a value-of-REGION"}) || !maps.Equal(r.SecretHeaders, map[string]string{"X-Secret": "X_TOKEN"}) ||
		string(r.ExtraBody) != `{"plain":1}` || !maps.Equal(r.SecretBody, map[string]string{"token": "Y_SECRET"}) {
		t.Errorf("%+v", r)
	}
	if !slices.Equal(files.Variables, []string{"REGION", "X_TOKEN", "Y_SECRET"}) {
		t.Errorf("variables %v", files.Variables)
	}
}

func TestSentConfigurationMayUseOnlyWhatIsAllowed(t *testing.T) {
	allowed := func(name string) bool { return name == "REGION" || name == "UP_API_KEY" || name == "ADMIN_TOKEN" }
	if _, _, err := config.ParseSent(model("    description: '${REGION}'\n    api_key: '${UP_API_KEY}'\n"), config.Source{}, everything, allowed); err != nil {
		t.Error(err)
	}
	_, _, err := config.ParseSent(model("    description: '${HOME} ${ADMIN_TOKEN}'\n    api_key: '${AWS_SECRET_KEY}'\n"), config.Source{}, everything, allowed)
	for _, want := range []string{"models[0].description: ${HOME} is not allowed in a submitted configuration", "models[0].api_key: ${AWS_SECRET_KEY} is not allowed"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
