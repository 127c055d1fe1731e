package chat

import (
	"bytes"
	"slices"
)

// Clone returns a copy of the event that shares no memory with it.
func (e *Event) Clone() Event {
	out := *e
	for _, b := range []*[]byte{&out.Details, &out.Annotations, &out.Images, &out.Audio, &out.Logprobs, &out.Extra, &out.Raw, &out.RawName} {
		*b = bytes.Clone(*b)
	}
	for _, l := range []*Literal{&out.Content, &out.Reasoning, &out.Refusal, &out.Native, &out.ID, &out.Fingerprint, &out.ServiceTier} {
		*l = bytes.Clone(*l)
	}
	if out.Usage != nil {
		u := *out.Usage
		out.Usage = &u
	}
	out.Tools = slices.Clone(out.Tools)
	for i := range out.Tools {
		t := &out.Tools[i]
		t.ID, t.Name, t.Arguments, t.Extra = bytes.Clone(t.ID), bytes.Clone(t.Name), bytes.Clone(t.Arguments), bytes.Clone(t.Extra)
	}
	return out
}
