package openai

import (
	"errors"
	"net/url"
	"regexp"
	"strings"

	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/shared/fault"
)

// azureVersion is the latest version of Azure's API that is not a preview.
const azureVersion = "2024-10-21"

var azureVersions = regexp.MustCompile(`^20\d\d-\d\d-\d\d(-preview)?$`)

// Azure is Azure OpenAI: OpenAI's models, as deployments of a resource.
func Azure() Profile {
	p := OpenAI()
	p.azure = true
	p.codes = map[string]fault.Kind{"DeploymentNotFound": fault.NotFound, "content_filter": fault.ContentFilter, "ResponsibleAIPolicyViolation": fault.ContentFilter}
	return p
}

// addressAzure sets the adapter's URLs. A base URL that ends in /v1 is that of
// the API without versions, where the deployment is the model; below any other
// each deployment has a path of its own.
func (a *Adapter) addressAzure(s codec.Settings) error {
	base := strings.TrimSuffix(s.BaseURL, "/")
	if strings.HasSuffix(base, "/v1") {
		if s.APIVersion != "" {
			return errors.New("api_version: a base_url that ends in /v1 has no versions")
		}
		a.base, a.responses = base, base
		return nil
	}
	version := s.APIVersion
	if version == "" {
		version = azureVersion
	}
	if !azureVersions.MatchString(version) {
		return errors.New("api_version: must be a date, such as " + azureVersion + " or 2025-04-01-preview")
	}
	base = strings.TrimSuffix(base, "/openai") + "/openai"
	a.base, a.responses, a.query = base+"/deployments/"+url.PathEscape(s.Model), base+"/v1", "?api-version="+version
	return nil
}

// authorizeAzure distinguishes Entra's tokens, which are JWTs, from keys.
func authorizeAzure(secret string) codec.Header {
	if strings.HasPrefix(secret, "eyJ") && strings.Count(secret, ".") == 2 {
		return codec.Header{Name: "Authorization", Value: "Bearer " + secret}
	}
	return codec.Header{Name: "api-key", Value: secret}
}
