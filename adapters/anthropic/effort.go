package anthropic

import (
	"slices"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/traits"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// planVerbosity turns OpenRouter's verbosity, or the output_config that a
// client wrote itself, into an effort.
func (d *draft) planVerbosity() {
	if word := rawjson.Text(d.r.Raw(chat.Verbosity)); word != "" {
		if len(d.a.traits.Efforts) == 0 {
			d.drop(chat.Verbosity)
		}
		d.setEffort(word)
	}
}

// setEffort takes the level that the model has next to it.
func (d *draft) setEffort(word string) {
	if slices.Contains(traits.Efforts(), word) {
		d.think.effort = traits.Nearest(d.a.traits.Efforts, word)
	}
}

// effortFor returns the least effort whose share of the limit covers a budget.
func effortFor(budget, limit int64) string {
	for _, effort := range []string{"low", "medium", "high"} {
		if budget <= limit*chat.EffortShare(effort)/100 {
			return effort
		}
	}
	return "xhigh"
}

// writeOutputConfig writes the effort and the schema beside what the client
// itself put into output_config.
func (d *draft) writeOutputConfig() {
	effort, own := d.think.effort, d.clientMember("output_config")
	if effort == "" && d.format == nil && len(own) == 0 || !d.member("output_config") {
		return
	}
	d.put(`{`)
	mark := len(d.body)
	if effort != "" {
		d.put(`"effort":`).putText(effort)
	}
	if d.format != nil {
		d.comma(mark)
		d.put(`"format":{"type":"json_schema","schema":`)
		d.body = appendOutputSchema(d.body, d.format)
		d.put(`}`)
	}
	for key, val := range rawjson.Members(own) {
		if string(key) == "effort" && effort != "" || string(key) == "format" && d.format != nil {
			continue
		}
		d.comma(mark)
		d.put(`"`).putRaw(key).put(`":`).putRaw(val)
	}
	d.put(`}`)
}
