package token

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

const (
	// identityTokens is where Azure's virtual machines and node pools get tokens.
	identityTokens = "http://169.254.169.254/metadata/identity/oauth2/token"
	maxIdentity    = 1 << 20
)

// managed is an Azure machine's identity, and where to get its tokens.
type managed struct {
	client   *http.Client
	endpoint string
	header   http.Header
	query    url.Values
}

// managedIdentity reads where tokens come from: App Service and its relatives
// name it in two variables, all others have the metadata service.
func managedIdentity(app *entraApp, variable func(string) (string, bool)) (fetch, error) {
	if app.Tenant != "" || app.Secret != "" {
		return nil, errors.New("application JSON: managed_identity and tenant_id, client_secret are mutually exclusive")
	}
	m := managed{
		client: newDirectClient(), endpoint: cmp.Or(app.TokenURI, identityTokens), header: http.Header{"Metadata": {"true"}},
		query: url.Values{"api-version": {"2018-02-01"}, "resource": {strings.TrimSuffix(cmp.Or(app.Scope, entraScope), "/.default")}},
	}
	if variable != nil && app.TokenURI == "" {
		endpoint, _ := variable("IDENTITY_ENDPOINT")
		key, _ := variable("IDENTITY_HEADER")
		if endpoint != "" && key != "" {
			m.endpoint, m.header = endpoint, http.Header{"X-Identity-Header": {key}}
			m.query.Set("api-version", "2019-08-01")
		}
	}
	if app.Client != "" {
		m.query.Set("client_id", app.Client)
	}
	if !isURL(m.endpoint) {
		return nil, errors.New("managed identity: token_uri or IDENTITY_ENDPOINT: must be an http or https URL")
	}
	return m.get, nil
}

func (m *managed) get(ctx context.Context) (string, time.Time, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, m.endpoint+"?"+m.query.Encode(), http.NoBody)
	if err != nil {
		return "", time.Time{}, err
	}
	r.Header = m.header.Clone()
	resp, err := m.client.Do(r)
	if err != nil {
		return "", time.Time{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxIdentity))
	if err != nil {
		return "", time.Time{}, err
	}
	if resp.StatusCode != http.StatusOK {
		return "", time.Time{}, &oauth2.RetrieveError{Response: resp, Body: body}
	}
	return readIdentity(body)
}

// readIdentity reads a token and its end, in seconds since 1970, which some
// services write as a number and others as text.
func readIdentity(body []byte) (string, time.Time, error) {
	var answer struct {
		Token string          `json:"access_token"`
		Ends  json.RawMessage `json:"expires_on"`
	}
	if json.Unmarshal(body, &answer) != nil || answer.Token == "" {
		return "", time.Time{}, errors.New("the answer has no access_token")
	}
	at, err := strconv.ParseInt(strings.Trim(string(answer.Ends), `"`), 10, 64)
	if err != nil || at <= 0 {
		return "", time.Time{}, errors.New("the answer's expires_on is not a number of seconds")
	}
	return answer.Token, time.Unix(at, 0), nil
}
