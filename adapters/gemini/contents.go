package gemini

import (
	"slices"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// turn is what one element of contents holds. Messages of the same kind in a
// row become one element.
type turn uint8

const (
	noTurn turn = iota
	userTurn
	modelTurn
	resultTurn // a user turn of nothing but tool results
)

// blank replaces a text where Google wants one and the client has none.
const blank = `" "`

// contents builds the array of that name.
type contents struct {
	dst    []byte
	family family
	// anonymous calls have no ids.
	anonymous bool
	inputs    chat.Feature
	start     int
	open      turn
	// known are the calls so far, those from last on of the latest model turn.
	known []chat.Call
	last  int
	// loose are pieces of tool results that cannot be inside of them.
	loose []byte
}

// appendContents appends the conversation without its instructions.
func (a *Adapter) appendContents(dst []byte, r *chat.Request, turns []chat.Message) ([]byte, error) {
	c := contents{dst: append(dst, '['), family: a.family, anonymous: a.vertex, inputs: a.settings.Inputs}
	c.start = len(c.dst)
	if prompt := r.Raw(chat.Prompt); len(turns) == 0 && prompt != nil {
		if prompt[0] != '"' {
			return c.dst, fault.New(fault.InvalidRequest, "prompt: this model takes one string only")
		}
		c.text(userTurn, prompt)
	}
	i := 0
	for i < len(turns) && instructs(turns[i].Role) { // these have a place of their own
		i++
	}
	for i < len(turns) {
		n, err := c.message(turns, i)
		if err != nil {
			return c.dst, err
		}
		i += n
	}
	c.finish()
	return append(c.dst, ']'), nil
}

// message appends the message at i, or the run of tool results that begins
// there, and returns how many messages it took in.
func (c *contents) message(turns []chat.Message, i int) (int, error) {
	switch turns[i].Role {
	case chat.RoleUser:
		return 1, c.user(&turns[i], i)
	case chat.RoleAssistant:
		return 1, c.assistant(&turns[i], i)
	default:
		return c.aside(turns, i)
	}
}

// aside appends a run of tool messages, which stand together whatever came
// between them, and then the instructions among them.
func (c *contents) aside(turns []chat.Message, i int) (int, error) {
	n := 0
	for i+n < len(turns) && (turns[i+n].Role == chat.RoleTool || instructs(turns[i+n].Role)) {
		n++
	}
	run := turns[i : i+n]
	if err := c.results(run, i); err != nil {
		return n, err
	}
	for j := range run {
		if instructs(run[j].Role) {
			c.instruct(&run[j])
		}
	}
	return n, nil
}

// instruct appends a system message that came later than the system prompt as
// the user's, marked as what it is: what precedes it is unchanged.
func (c *contents) instruct(m *chat.Message) {
	text := rawjson.Inner(m.Text)
	for i := range m.Parts {
		text = append(slices.Clip(text), rawjson.Inner(m.Parts[i].Text)...)
	}
	if len(text) > 0 {
		c.text(userTurn, slices.Concat([]byte{'"'}, []byte(chat.Instruction), text, []byte{'"'}))
	}
}

// begin makes room for a part of a turn.
func (c *contents) begin(t turn) {
	if c.open == t {
		c.dst = append(c.dst, ',')
		return
	}
	c.end()
	if t == modelTurn && len(c.dst) == c.start {
		c.text(userTurn, []byte(blank)) // a model's call must follow a user's turn
		c.end()
	}
	if len(c.dst) > c.start {
		c.dst = append(c.dst, ',')
	}
	role := "user"
	if t == modelTurn {
		role = "model"
	}
	c.dst = append(append(append(c.dst, `{"role":"`...), role...), `","parts":[`...)
	c.open = t
}

func (c *contents) end() {
	if c.open != noTurn {
		c.dst = append(c.dst, ']', '}')
	}
	c.open = noTurn
}

// finish sees to it that there is a turn, and that the last one is not the
// model's where that is refused.
func (c *contents) finish() {
	if c.open == modelTurn && c.family.endsWithUser() {
		c.text(userTurn, []byte(`"Continue."`))
	}
	if c.open == noTurn {
		c.text(userTurn, []byte(blank))
	}
	c.end()
}

func (c *contents) text(t turn, text chat.Literal) {
	c.begin(t)
	c.dst = append(append(append(c.dst, `{"text":`...), text...), '}')
}

// user appends a user's message. Google refuses empty texts.
func (c *contents) user(m *chat.Message, i int) error {
	before := len(c.dst)
	if len(m.Text) > 2 {
		c.text(userTurn, m.Text)
	}
	for j := range m.Parts {
		if err := c.part(userTurn, &m.Parts[j], i, j); err != nil {
			return err
		}
	}
	if len(c.dst) == before {
		c.text(userTurn, []byte(blank))
	}
	return nil
}

// part appends one piece of a message's content.
func (c *contents) part(t turn, p *chat.Part, i, j int) error {
	if p.Type == chat.PartText || p.Type == chat.PartRefusal {
		if len(p.Text) > 2 {
			c.text(t, p.Text)
		}
		return nil
	}
	if chat.Foreign(p.Raw) {
		if text := chat.ForeignText(p.Raw); text != nil {
			c.text(t, text)
		}
		return nil
	}
	c.begin(t)
	var err error
	if c.dst, err = appendMedia(c.dst, p, c.family); err != nil {
		return at(err, i, j)
	}
	return nil
}

// at says which part of which message a fault is about.
func at(err error, i, j int) error {
	f := fault.From(err)
	return fault.New(f.Kind, "messages[%d].content[%d]: %s", i, j, f.Message)
}
