package settings

import (
	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/openid"
	"github.com/hybridinference/gateway/shared/secret"
)

// OIDC is the identity provider at which people sign in to the console.
type OIDC struct {
	Issuer      string        `env:"OIDC_ISSUER" help:"URL of the OpenID Connect provider at which people sign in to the console; disabled if not set"`
	ClientID    string        `env:"OIDC_CLIENT_ID" help:"id of the gateway at the provider"`
	Secret      secret.String `env:"OIDC_CLIENT_SECRET" help:"its secret; none for a public client"`
	RedirectURL string        `env:"OIDC_REDIRECT_URL" help:"URL of the console as registered at the provider: https://HOST/console/oidc/callback"`
	Scopes      []string      `env:"OIDC_SCOPES" default:"openid,email,profile" help:"scopes to ask for; some providers need groups for the groups"`
	Claim       string        `env:"OIDC_GROUPS_CLAIM" default:"groups" help:"claim with a person's groups; dots lead into objects: realm_access.roles"`
	Viewers     []string      `env:"OIDC_VIEWER_GROUPS" help:"groups whose members are viewers; * is everybody"`
	Operators   []string      `env:"OIDC_OPERATOR_GROUPS" help:"groups whose members are operators"`
	Admins      []string      `env:"OIDC_ADMIN_GROUPS" help:"groups whose members are admins"`
}

// Check implements env.Checker.
func (s *OIDC) Check(problem func(format string, args ...any)) {
	if s.Issuer == "" {
		if s.ClientID != "" || !s.Secret.Empty() || s.RedirectURL != "" || len(s.Viewers)+len(s.Operators)+len(s.Admins) > 0 {
			problem("OIDC_ISSUER must be set: the other OIDC_ variables have no effect without it")
		}
		return
	}
	if _, err := openid.New(s.options()); err != nil {
		problem("%s", err)
	}
}

func (s *OIDC) options() openid.Options {
	return openid.Options{
		Issuer: s.Issuer, ClientID: s.ClientID, Secret: s.Secret, RedirectURL: s.RedirectURL, Scopes: s.Scopes, GroupsClaim: s.Claim,
		Roles: []openid.Role{{Name: adminapi.RoleViewer, Groups: s.Viewers}, {Name: adminapi.RoleOperator, Groups: s.Operators}, {Name: adminapi.RoleAdmin, Groups: s.Admins}},
	}
}

// Client returns the provider's client, nil without one.
func (s *OIDC) Client() *openid.Client {
	if s.Issuer == "" {
		return nil
	}
	c, err := openid.New(s.options())
	if err != nil {
		return nil // Check has refused it
	}
	return c
}
