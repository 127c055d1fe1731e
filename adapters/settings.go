package adapters

import (
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/shared/wire"
)

// Settings returns what the codec of an endpoint has to know. Both planes use
// it: what compiles at the control plane is what a node builds.
func Settings(m *wire.Model, e *wire.Endpoint) codec.Settings {
	return codec.Settings{
		Kind: e.Kind, Slug: e.Slug, BaseURL: e.BaseURL, Region: e.Region, APIVersion: e.APIVersion, Model: e.UpstreamModel, Processor: e.Processor, ExtraBody: e.ExtraBody,
		MaxOutput: int64(m.MaxOutputLength), Inputs: inputs(m.InputModalities), Tools: m.SupportsTools, Structured: m.SupportsStructured,
		Params: chat.NamedSet(m.SupportedParameters), Responses: e.Responses, Traits: e.Traits,
	}
}

// inputs maps the names of modalities to what they allow in messages.
func inputs(modalities []string) chat.Feature {
	var f chat.Feature
	for _, m := range modalities {
		switch m {
		case "image":
			f |= chat.HasImage
		case "audio":
			f |= chat.HasAudio
		case "video":
			f |= chat.HasVideo
		case "file":
			f |= chat.HasFile
		}
	}
	return f
}
