package exposition

import (
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
)

// Labels are the labels of a series, rendered once.
type Labels struct {
	text  string // without braces
	pairs []*dto.LabelPair
}

// NewLabels returns the labels of name, value, name, value...
func NewLabels(namesAndValues ...string) (l Labels) {
	for pair := range slices.Chunk(namesAndValues, 2) {
		l.pairs = append(l.pairs, &dto.LabelPair{Name: &pair[0], Value: &pair[1]})
	}
	slices.SortFunc(l.pairs, byName)
	var out strings.Builder
	for i, p := range l.pairs {
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteString(p.GetName())
		out.WriteString(`="`)
		_, _ = labelEscaper.WriteString(&out, p.GetValue())
		out.WriteByte('"')
	}
	l.text = out.String()
	return l
}

func byName(a, b *dto.LabelPair) int { return strings.Compare(a.GetName(), b.GetName()) }

//nolint:gochecknoglobals // a constant table
var labelEscaper = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

// LabelTable returns the labels name=value of each value, by its index.
func LabelTable(name string, values ...string) []Labels {
	out := make([]Labels, len(values))
	for i, value := range values {
		out[i] = NewLabels(name, value)
	}
	return out
}
