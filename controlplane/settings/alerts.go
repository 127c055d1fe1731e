package settings

import (
	"slices"
	"strconv"

	"github.com/hybridinference/gateway/controlplane/alerts"
	"github.com/hybridinference/gateway/shared/secret"
)

// Alerts are about limits that are nearly used up.
type Alerts struct {
	Thresholds []string      `env:"ALERT_THRESHOLDS" default:"50,80,100" help:"percentages of a budget, rpd or tpd at which the daemon raises an alert, once a period each"`
	URL        secret.String `env:"ALERT_WEBHOOK_URL" help:"URL to which the daemon posts alerts"`
	Secret     secret.String `env:"ALERT_WEBHOOK_SECRET" strong:"true" help:"secret with which posts to ALERT_WEBHOOK_URL are signed"`
}

// Check implements env.Checker.
func (s *Alerts) Check(problem func(format string, args ...any)) {
	for _, text := range s.Thresholds {
		if n, err := strconv.Atoi(text); err != nil || n < 1 || n > 100 {
			problem("ALERT_THRESHOLDS must be percentages from 1 to 100 separated by commas such as 50,80,100, got %q", text)
		}
	}
	if s.URL.Empty() != s.Secret.Empty() {
		problem("ALERT_WEBHOOK_URL and ALERT_WEBHOOK_SECRET must be set together")
	}
	if _, err := alerts.NewWebhook(s.URL, s.Secret); err != nil && !s.URL.Empty() {
		problem("ALERT_WEBHOOK_URL %s", err)
	}
}

// Percentages are the thresholds, ascending.
func (s *Alerts) Percentages() (list []int) {
	for _, text := range s.Thresholds {
		if n, err := strconv.Atoi(text); err == nil { // Check has refused others
			list = append(list, n)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// Webhook is where alerts are posted, nil for nowhere.
func (s *Alerts) Webhook() *alerts.Webhook {
	if s.URL.Empty() {
		return nil
	}
	h, err := alerts.NewWebhook(s.URL, s.Secret)
	if err != nil {
		return nil // Check has refused it
	}
	return h
}
