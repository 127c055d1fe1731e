package messages

import (
	"github.com/hybridinference/gateway/dataplane/api/canonical"
)

// writer writes the canonical form of a request.
type writer struct {
	canonical.Writer
	// omitted are kinds of content blocks that nothing is left of.
	omitted []string
}
