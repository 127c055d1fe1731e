package openid

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// maxName is the bound of an author's name in the audit log.
const maxName = 200

// everybody is the group that each person is in.
const everybody = "*"

// claims are those of the ID token and, if groups or email are not among them,
// of the provider's userinfo.
func (c *Client) claims(ctx context.Context, p *oidc.Provider, id *oidc.IDToken, token *oauth2.Token) (map[string]any, error) {
	all := map[string]any{}
	if err := id.Claims(&all); err != nil {
		return nil, fmt.Errorf("%w: id_token: %w", ErrRefused, err)
	}
	_, groups := lookUp(all, c.o.GroupsClaim)
	if _, email := all["email"]; groups && email || p.UserInfoEndpoint() == "" {
		return all, nil
	}
	info, err := p.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return nil, fmt.Errorf("%w: userinfo: %w", ErrUnavailable, err)
	}
	if info.Subject != id.Subject {
		return nil, fmt.Errorf("%w: userinfo is of somebody else", ErrRefused)
	}
	more := map[string]any{}
	if err := info.Claims(&more); err != nil {
		return nil, fmt.Errorf("%w: userinfo: %w", ErrRefused, err)
	}
	maps.Copy(more, all) // what is signed wins
	return more, nil
}

// lookUp finds a claim by its name or, with dots, inside others.
func lookUp(all map[string]any, name string) (any, bool) {
	if v, ok := all[name]; ok {
		return v, true
	}
	head, rest, dotted := strings.Cut(name, ".")
	inner, ok := all[head].(map[string]any)
	if !dotted || !ok {
		return nil, false
	}
	return lookUp(inner, rest)
}

func (c *Client) person(subject string, all map[string]any) (Person, error) {
	who := Person{Name: nameOf(subject, all), Subject: subject}
	if who.Name == "" {
		return Person{}, fmt.Errorf("%w: the subject of the id_token is no name that the audit log takes", ErrRefused)
	}
	claim, found := lookUp(all, c.o.GroupsClaim)
	switch v := claim.(type) {
	case string:
		who.Groups = []string{v}
	case []any:
		for _, one := range v {
			if text, ok := one.(string); ok {
				who.Groups = append(who.Groups, text)
			}
		}
	}
	for _, r := range c.o.Roles {
		if slices.Contains(r.Groups, everybody) || slices.ContainsFunc(r.Groups, func(g string) bool { return slices.Contains(who.Groups, g) }) {
			who.Role = r.Name // the greatest
		}
	}
	switch {
	case who.Role != "":
		return who, nil
	case !found:
		return who, fmt.Errorf("%w: %s says nothing of your groups (claim %s)", ErrNoRole, c.Name(), c.o.GroupsClaim)
	default:
		return who, fmt.Errorf("%w: none of your groups has one here: %s", ErrNoRole, shown(strings.Join(who.Groups, ", ")))
	}
}

// nameOf is the email address if the provider says that it is verified. What
// people may choose for themselves has the subject behind it, so that no one
// can appear as someone else.
func nameOf(subject string, all map[string]any) string {
	text := func(claim string) string {
		value, _ := all[claim].(string)
		return value
	}
	verified := all["email_verified"] == true || all["email_verified"] == "true" // some providers send a text
	if email := text("email"); verified && isName(email) {
		return email
	}
	for _, chosen := range []string{text("email"), text("preferred_username")} {
		if full := chosen + " (" + subject + ")"; chosen != "" && isName(full) {
			return full
		}
	}
	if isName(subject) {
		return subject
	}
	return ""
}

func isName(text string) bool {
	return text != "" && len(text) <= maxName && !strings.ContainsFunc(text, unicode.IsControl)
}
