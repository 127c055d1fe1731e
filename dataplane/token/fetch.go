package token

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"
)

// scope is what Vertex AI asks for.
const scope = "https://www.googleapis.com/auth/cloud-platform"

// fetch gets a new token and the time of its end, zero if it has none.
type fetch func(context.Context) (string, time.Time, error)

// read takes a secret for a ready token, or for what tokens are fetched with.
func read(o *Options) (token string, get fetch, err error) {
	text := strings.TrimSpace(o.Secret.Reveal())
	switch {
	case o.Region != "":
		return "", aws(o.Region), nil
	case o.Entra:
		get, err = entra(newClient(), []byte(text), o.Variable)
		return "", get, err
	case text == "":
		return "", ambient(newClient()), nil
	case text[0] == '{':
		get, err = fromJSON(newClient(), []byte(text))
		return "", get, err
	}
	token = strings.TrimSpace(strings.TrimPrefix(text, "Bearer "))
	if strings.ContainsAny(token, " \t\r\n\"{}") {
		return "", nil, errors.New("the secret must be the JSON of a service account, an access token, or empty; it is none of them")
	}
	return token, nil, nil
}

// ambient finds the machine's own credentials anew for each token: they may
// have been renewed on disk, and the library would hold on to the old token.
func ambient(client *http.Client) fetch {
	return func(ctx context.Context) (string, time.Time, error) {
		credentials, err := google.FindDefaultCredentials(bind(ctx, client), scope)
		if err != nil {
			return "", time.Time{}, fmt.Errorf("find this machine's Google credentials: %w", err)
		}
		return get(credentials.TokenSource)
	}
}

// fromJSON reads a credentials file's content.
func fromJSON(client *http.Client, text []byte) (fetch, error) {
	var file struct {
		Type string `json:"type"`
	}
	if json.Unmarshal(text, &file) != nil {
		return nil, errors.New("the secret begins like JSON but is not valid JSON")
	}
	kind := google.CredentialsType(file.Type)
	switch kind {
	case google.ServiceAccount:
		return serviceAccount(client, text)
	case google.AuthorizedUser, google.ExternalAccount, google.ExternalAccountAuthorizedUser, google.ImpersonatedServiceAccount:
		return func(ctx context.Context) (string, time.Time, error) {
			credentials, err := google.CredentialsFromJSONWithType(bind(ctx, client), text, kind, scope)
			if err != nil {
				return "", time.Time{}, err
			}
			return get(credentials.TokenSource)
		}, nil
	default:
		return nil, fmt.Errorf("credentials JSON: type: %q is not one of service_account, authorized_user, external_account, external_account_authorized_user, impersonated_service_account", file.Type)
	}
}

// serviceAccount trades a signed assertion for a token (RFC 7523). The key is
// checked here, so that a broken one is found when the release is compiled
// and not by the first request.
func serviceAccount(client *http.Client, text []byte) (fetch, error) {
	config, err := google.JWTConfigFromJSON(text, scope)
	if err != nil {
		return nil, errors.New("service account JSON: its members do not have the form of a service account key file")
	}
	if config.Email == "" {
		return nil, errors.New("service account JSON: client_email: required")
	}
	if !isURL(config.TokenURL) {
		return nil, errors.New("service account JSON: token_uri: must be an http or https URL")
	}
	if !isKey(config.PrivateKey) {
		return nil, errors.New("service account JSON: private_key: must be an RSA key in PEM form, with its line ends as \\n")
	}
	return func(ctx context.Context) (string, time.Time, error) {
		return get(config.TokenSource(bind(ctx, client)))
	}, nil
}

func isKey(text []byte) bool {
	block, _ := pem.Decode(text)
	if block == nil {
		return false
	}
	if _, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
		return true
	}
	_, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	return err == nil
}

func get(source oauth2.TokenSource) (string, time.Time, error) {
	t, err := source.Token()
	if err != nil {
		return "", time.Time{}, err
	}
	return t.AccessToken, t.Expiry, nil
}
