package price

import "github.com/hybridinference/gateway/shared/wire"

// Cell is a kind of thing that has a price.
type Cell uint8

// The cells. Those up to the last before firstOutput are the prompt's, in the
// two figures that a client gets.
const (
	Prompt Cell = iota
	CacheRead
	CacheWrite
	CacheWrite1h
	InputImageTokens
	InputAudio
	InputAudioCache
	Image
	Request
	WebSearch
	ServerTool
	Completion
	Reasoning
	OutputImageTokens
	OutputAudio
	OutputImage
	NumCells

	firstOutput = Completion
)

// info is what is known of a cell.
type info struct {
	// name is that on the wire.
	name string
	text func(p *wire.Pricing) *string
	// each: the price is for one, not for a million.
	each bool
	// standIn is the cell whose price applies where there is none, times times; 0
	// is no cell.
	standIn Cell
	times   int64
	// sure: the provider's price for it is that of standIn, or nothing, unless
	// the list says otherwise. Where it is false a price that is missing is
	// unknown.
	sure bool
}

func cells() [NumCells]info {
	return [NumCells]info{
		Prompt:            {name: "prompt", text: func(p *wire.Pricing) *string { return &p.Prompt }},
		CacheRead:         {name: "cache_read", text: func(p *wire.Pricing) *string { return &p.CacheRead }, standIn: Prompt, times: 1},
		CacheWrite:        {name: "cache_write", text: func(p *wire.Pricing) *string { return &p.CacheWrite }, standIn: Prompt, times: 1},
		CacheWrite1h:      {name: "cache_write_1h", text: func(p *wire.Pricing) *string { return &p.CacheWrite1h }, standIn: Prompt, times: 2, sure: true},
		InputImageTokens:  {name: "input_image_tokens", text: func(p *wire.Pricing) *string { return &p.InputImageTokens }, standIn: Prompt, times: 1, sure: true},
		InputAudio:        {name: "input_audio", text: func(p *wire.Pricing) *string { return &p.InputAudio }, standIn: Prompt, times: 1},
		InputAudioCache:   {name: "input_audio_cache", text: func(p *wire.Pricing) *string { return &p.InputAudioCache }, standIn: CacheRead, times: 1},
		Image:             {name: "image", text: func(p *wire.Pricing) *string { return &p.Image }, each: true, sure: true},
		Request:           {name: "request", text: func(p *wire.Pricing) *string { return &p.Request }, each: true, sure: true},
		WebSearch:         {name: "web_search", text: func(p *wire.Pricing) *string { return &p.WebSearch }, each: true},
		ServerTool:        {name: "server_tool", text: func(p *wire.Pricing) *string { return &p.ServerTool }, each: true},
		Completion:        {name: "completion", text: func(p *wire.Pricing) *string { return &p.Completion }},
		Reasoning:         {name: "reasoning", text: func(p *wire.Pricing) *string { return &p.Reasoning }, standIn: Completion, times: 1, sure: true},
		OutputImageTokens: {name: "output_image_tokens", text: func(p *wire.Pricing) *string { return &p.OutputImageTokens }, standIn: Completion, times: 1},
		OutputAudio:       {name: "output_audio", text: func(p *wire.Pricing) *string { return &p.OutputAudio }, standIn: Completion, times: 1},
		OutputImage:       {name: "output_image", text: func(p *wire.Pricing) *string { return &p.OutputImage }, each: true, sure: true},
	}
}

// Name returns the cell's name on the wire.
func (c Cell) Name() string { return cells()[c].name }

// Each reports whether the price is for one, not for a million tokens.
func (c Cell) Each() bool { return cells()[c].each }

// Text returns where a list has the cell's price.
func (c Cell) Text(p *wire.Pricing) *string { return cells()[c].text(p) }
