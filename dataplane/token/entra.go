package token

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

const (
	entraTokens = "https://login.microsoftonline.com/"
	entraScope  = "https://cognitiveservices.azure.com/.default"
)

// tenant is a directory's id or domain.
var tenant = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.-]*$`)

// entraApp is an application in Entra ID, or the identity of an Azure machine.
type entraApp struct {
	Tenant   string `json:"tenant_id"`
	Client   string `json:"client_id"`
	Secret   string `json:"client_secret"`
	TokenURI string `json:"token_uri"`
	Scope    string `json:"scope"`
	// Managed is for the machine's own identity, of which Client names one if it
	// has several.
	Managed bool `json:"managed_identity"`
}

// entra trades an application's secret, or that it runs on a machine with an
// identity, for a token of Microsoft Entra ID.
func entra(client *http.Client, text []byte, variable func(string) (string, bool)) (fetch, error) {
	var app entraApp
	if json.Unmarshal(text, &app) != nil {
		return nil, errors.New("the secret begins like JSON but is not valid JSON with strings tenant_id, client_id and client_secret, or managed_identity: true")
	}
	switch {
	case app.Managed:
		return managedIdentity(&app, variable)
	case app.Client == "" || app.Secret == "":
		return nil, errors.New("application JSON: client_id and client_secret: required")
	case app.TokenURI == "" && !tenant.MatchString(app.Tenant):
		return nil, errors.New("application JSON: tenant_id: required, the directory's id or domain")
	}
	config := clientcredentials.Config{
		ClientID: app.Client, ClientSecret: app.Secret, Scopes: []string{cmp.Or(app.Scope, entraScope)}, AuthStyle: oauth2.AuthStyleInParams,
		TokenURL: cmp.Or(app.TokenURI, entraTokens+app.Tenant+"/oauth2/v2.0/token"),
	}
	if !isURL(config.TokenURL) {
		return nil, errors.New("application JSON: token_uri: must be an http or https URL")
	}
	return func(ctx context.Context) (string, time.Time, error) {
		return get(config.TokenSource(bind(ctx, client)))
	}, nil
}

func isURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http")
}
