package anthropic

import (
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// planVerbosity turns OpenRouter's verbosity, or the output_config that a
// client wrote itself, into an effort.
func (d *draft) planVerbosity() {
	if word := rawjson.Text(d.r.Raw(chat.Verbosity)); word != "" {
		if d.a.traits.effort == 0 {
			d.drop(chat.Verbosity)
		}
		d.setEffort(word)
	}
}

// setEffort takes a level, lowered to what the model has.
func (d *draft) setEffort(word string) {
	var l level
	switch word {
	case "minimal", "low":
		l = levelLow
	case "medium":
		l = levelMedium
	case "high":
		l = levelHigh
	case "max":
		l = levelMax
	case "xhigh":
		if l = levelXHigh; d.a.traits.effort == levelMax {
			l = levelMax // without the step in between, the one above
		}
	}
	d.think.effort = min(l, d.a.traits.effort)
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

func (d *draft) effortWord() string {
	switch d.think.effort {
	case levelLow:
		return "low"
	case levelMedium:
		return "medium"
	case levelHigh:
		return "high"
	case levelMax:
		return "max"
	case levelXHigh:
		return "xhigh"
	}
	return ""
}

// writeOutputConfig writes the effort and the schema beside what the client
// itself put into output_config.
func (d *draft) writeOutputConfig() {
	effort, own := d.effortWord(), d.clientMember("output_config")
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
