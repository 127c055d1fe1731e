package responses

import (
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/dataplane/api/canonical"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// writer writes the canonical form of a request.
type writer struct{ canonical.Writer }

func kindOf(object []byte) string { return string(rawjson.Inner(chat.Member(object, "type"))) }
