package settings_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/controlplane/settings"
	"github.com/hybridinference/gateway/shared/env"
)

func TestAlerts(t *testing.T) {
	parse := func(vars ...string) (settings.Alerts, error) {
		var s struct{ Alerts settings.Alerts }
		err := env.Parse(&s, nil, func(name string) (string, bool) {
			for _, v := range vars {
				if value, ok := strings.CutPrefix(v, name+"="); ok {
					return value, true
				}
			}
			return "", false
		})
		return s.Alerts, err
	}
	const url, secret = "ALERT_WEBHOOK_URL=https://alerts.example.com/hook", "ALERT_WEBHOOK_SECRET=0f1e2d3c4b5a69788796a5b4c3d2e1f0"
	s, err := parse()
	if err != nil || !slices.Equal(s.Percentages(), []int{50, 80, 100}) || s.Webhook() != nil {
		t.Errorf("defaults %+v, %v", s, err)
	}
	if s, err = parse("ALERT_THRESHOLDS=90, 75,90", url, secret); err != nil || !slices.Equal(s.Percentages(), []int{75, 90}) || s.Webhook() == nil {
		t.Errorf("%v, webhook %v, %v", s.Percentages(), s.Webhook(), err)
	}
	for want, vars := range map[string][]string{
		"ALERT_THRESHOLDS must be percentages from 1 to 100 separated by commas such as 50,80,100, got \"101\"": {"ALERT_THRESHOLDS=80,101"},
		"ALERT_WEBHOOK_URL and ALERT_WEBHOOK_SECRET must be set together":                                       {url},
		"ALERT_WEBHOOK_URL must be a URL such as https://":                                                      {"ALERT_WEBHOOK_URL=ftp://x?key=hidden", secret},
	} {
		if _, err := parse(vars...); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%v: %v, want %s", vars, err, want)
		}
	}
}
