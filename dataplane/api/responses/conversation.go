package responses

import (
	"fmt"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/dataplane/api"
	"github.com/hybridinference/gateway/dataplane/api/canonical"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// conversation writes instructions and input as messages.
func (r *request) conversation(w *writer) error {
	c := conversation{w: w, r: r}
	w.Member("messages")
	w.Put(`[`)
	if text := r.members["instructions"]; text != nil {
		if !canonical.IsString(text) {
			return invalid("instructions: must be a string")
		}
		c.plain("system", text)
	}
	input := r.members["input"]
	switch {
	case canonical.IsString(input):
		c.plain("user", input)
	case input[0] == '[':
		i := 0
		for item := range rawjson.Elements(input) {
			if err := c.item(fmt.Sprintf("input[%d]", i), item); err != nil {
				return err
			}
			i++
		}
	default:
		return invalid("input: must be a string or an array of items")
	}
	c.flush()
	w.Put(`]`)
	if c.n == 0 {
		return invalid("input: must have at least one message")
	}
	return nil
}

// conversation writes messages. The items of one assistant turn - reasoning,
// text, calls - are gathered into one message.
type conversation struct {
	w *writer
	r *request
	n int
	// The assistant's message that is not written yet: its content as raw JSON,
	// and the elements of reasoning_details and tool_calls, each behind a comma.
	content, details, calls []byte
}

// begin opens a message.
func (c *conversation) begin(role string) {
	c.flush()
	c.w.Comma(c.n > 0)
	c.n++
	c.w.Put(`{"role":"` + role + `"`)
}

// plain writes a message whose content is a string literal.
func (c *conversation) plain(role string, text []byte) {
	c.begin(role)
	c.w.Sibling("content", text)
	c.w.Put(`}`)
}

// flush writes the assistant's message.
func (c *conversation) flush() {
	if c.content == nil && c.details == nil && c.calls == nil {
		return
	}
	content, details, calls := c.content, c.details, c.calls
	c.content, c.details, c.calls = nil, nil, nil
	c.w.Comma(c.n > 0)
	c.n++
	c.w.Put(`{"role":"assistant","content":`)
	switch {
	case content != nil:
		c.w.Raw(content)
	case calls != nil:
		c.w.Put(`null`)
	default:
		c.w.Put(`""`)
	}
	c.array("reasoning_details", details)
	c.array("tool_calls", calls)
	c.w.Put(`}`)
}

func (c *conversation) array(name string, elements []byte) {
	if elements != nil {
		c.w.Put(`,"` + name + `":[`)
		c.w.Raw(elements[1:])
		c.w.Put(`]`)
	}
}

// item writes one item of the input.
func (c *conversation) item(path string, item []byte) error {
	if item[0] != '{' {
		return invalid("%s: must be an object", path)
	}
	switch kind := kindOf(item); kind {
	case "", "message":
		return c.message(path, item)
	case "reasoning":
		c.reasoning(item)
	case "function_call":
		return c.call(path, item, chat.Member(item, "arguments"), "arguments")
	case "custom_tool_call":
		input := chat.Member(item, "input")
		if canonical.IsString(input) {
			input = chat.CustomArguments(input)
		}
		return c.call(path, item, input, "input")
	case "function_call_output", "custom_tool_call_output":
		return c.output(path, item)
	case "item_reference":
		return invalid("%s: item_reference is not supported: the gateway stores no items; send the item itself", path)
	default: // of a hosted tool
		c.r.dropped = append(c.r.dropped, "input."+kind)
	}
	return nil
}

func (c *conversation) message(path string, item []byte) error {
	content := chat.Member(item, "content")
	switch role := string(rawjson.Inner(chat.Member(item, "role"))); role {
	case "user", "system", "developer":
		if role == "developer" {
			role = "system"
		}
		parts, err := c.parts(path+".content", content)
		if err != nil {
			return err
		}
		c.plain(role, parts)
	case "assistant":
		parts, err := c.parts(path+".content", content)
		if err != nil {
			return err
		}
		if c.content != nil || c.calls != nil {
			c.flush() // another message of the same turn
		}
		c.content = parts
	default:
		return invalid("%s.role: must be user, assistant, system or developer", path)
	}
	return nil
}

// call adds a call to the assistant's message. arguments is a literal.
func (c *conversation) call(path string, item, arguments []byte, name string) error {
	id, function := chat.Member(item, "call_id"), chat.Member(item, "name")
	switch {
	case !canonical.IsText(id):
		return invalid("%s.call_id: required, a string", path)
	case !canonical.IsText(function):
		return invalid("%s.name: required, a string", path)
	case !canonical.IsString(arguments):
		return invalid("%s.%s: required, a string", path, name)
	}
	flat := flatName(rawjson.Text(chat.Member(item, "namespace")), rawjson.Text(function))
	c.calls = append(append(c.calls, `,{"type":"function","id":`...), id...)
	c.calls = rawjson.AppendString(append(c.calls, `,"function":{"name":`...), flat)
	c.calls = append(append(append(c.calls, `,"arguments":`...), arguments...), '}', '}')
	return nil
}

func (c *conversation) output(path string, item []byte) error {
	id := chat.Member(item, "call_id")
	if !canonical.IsText(id) {
		return invalid("%s.call_id: required, a string", path)
	}
	content, err := c.parts(path+".output", chat.Member(item, "output"))
	if err != nil {
		return err
	}
	c.begin("tool")
	c.w.Sibling("tool_call_id", id)
	c.w.Sibling("content", content)
	c.w.Put(`}`)
	return nil
}

// reasoning adds what was thought to the assistant's message: as it came, where
// this gateway sealed it, else as the words of another server.
func (c *conversation) reasoning(item []byte) {
	if c.content != nil || c.calls != nil {
		c.flush() // the thoughts belong to what follows them
	}
	encrypted := chat.Member(item, "encrypted_content")
	if sealed := api.Unseal(encrypted); len(sealed) > 0 && sealed[0] == '[' {
		c.details = append(append(c.details, ','), sealed[1:len(sealed)-1]...)
		return
	}
	format := `"format":"unknown"`
	if canonical.IsText(encrypted) {
		format = `"format":"openai-responses-v1"`
	}
	for _, list := range []string{"summary", "content"} {
		for part := range rawjson.Elements(chat.Member(item, list)) {
			text := chat.Member(part, "text")
			if !canonical.IsText(text) {
				continue
			}
			kind := `{"type":"reasoning.text","text":`
			if canonical.IsText(encrypted) {
				kind = `{"type":"reasoning.summary","summary":`
			}
			c.details = append(append(append(c.details, ','), kind...), text...)
			c.details = append(append(append(c.details, ','), format...), '}')
		}
	}
	if canonical.IsText(encrypted) {
		c.details = append(append(c.details, `,{"type":"reasoning.encrypted","data":`...), encrypted...)
		if id := chat.Member(item, "id"); canonical.IsText(id) {
			c.details = append(append(c.details, `,"id":`...), id...)
		}
		c.details = append(append(append(c.details, ','), format...), '}')
	}
}
