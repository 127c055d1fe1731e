package price

// Used is what a request used: tokens, and the number of everything else that
// may have a price. Prompt includes all input tokens, Completion all output
// tokens; the others are parts of them.
type Used struct {
	Prompt, CacheRead, CacheWrite, CacheWrite1h int64
	InputImageTokens, InputAudio                int64
	// InputAudioCache is the part of CacheRead that is sound.
	InputAudioCache int64

	Completion, Reasoning, OutputImageTokens, OutputAudio int64

	// Images are those of the prompt, OutputImages those of the answer.
	Images, OutputImages int64
	// WebSearches and ServerTools are calls of tools that the provider ran.
	WebSearches, ServerTools int64
}

// quantities returns how much of each cell was used. Parts that are larger than
// what they are a part of are cut, in the order cache, sound, image: no quantity
// is negative, and no token counts twice.
func (u *Used) quantities() (q [NumCells]int64) {
	rest := max(u.Prompt, 0)
	take := func(n int64) int64 {
		n = min(max(n, 0), rest)
		rest -= n
		return n
	}
	read := take(u.CacheRead)
	write := take(u.CacheWrite)
	q[InputAudioCache] = min(max(u.InputAudioCache, 0), read)
	q[CacheRead] = read - q[InputAudioCache]
	q[CacheWrite1h] = min(max(u.CacheWrite1h, 0), write)
	q[CacheWrite] = write - q[CacheWrite1h]
	q[InputAudio] = take(u.InputAudio - q[InputAudioCache])
	q[InputImageTokens] = take(u.InputImageTokens)
	q[Prompt] = rest

	rest = max(u.Completion, 0)
	q[Reasoning] = take(u.Reasoning)
	q[OutputAudio] = take(u.OutputAudio)
	q[OutputImageTokens] = take(u.OutputImageTokens)
	q[Completion] = rest

	q[Request], q[Image], q[OutputImage] = 1, max(u.Images, 0), max(u.OutputImages, 0)
	q[WebSearch], q[ServerTool] = max(u.WebSearches, 0), max(u.ServerTools, 0)
	return q
}
