package anthropic

import (
	"strconv"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// put appends text unchanged.
func (d *draft) put(text string) *draft {
	d.body = append(d.body, text...)
	return d
}

// putRaw appends a piece of JSON.
func (d *draft) putRaw(raw []byte) *draft {
	d.body = append(d.body, raw...)
	return d
}

func (d *draft) putInt(n int64) {
	d.body = strconv.AppendInt(d.body, n, 10)
}

// putText appends text as a string literal.
func (d *draft) putText(text string) *draft {
	d.body = rawjson.AppendString(d.body, text)
	return d
}

// comma separates list elements and members: all but the first, which is at mark.
func (d *draft) comma(mark int) {
	if len(d.body) > mark {
		d.body = append(d.body, ',')
	}
}

// member begins a member of the body; false means that the route's extra_body
// has one of that name.
func (d *draft) member(name string) bool {
	if d.a.override[name] {
		return false
	}
	d.put(`,"`).put(name).put(`":`)
	return true
}

// cache appends a cache_control mark. Beyond the number that the API takes the
// earliest are left out: the latest cover the most.
func (d *draft) cache(mark []byte) {
	if len(mark) == 0 || mark[0] != '{' {
		return
	}
	if d.surplus > 0 {
		d.surplus--
		return
	}
	d.put(`,"cache_control":`).putRaw(mark)
}

// breakpoints counts the cache_control marks that writing will meet.
func (d *draft) breakpoints() int {
	n := 0
	count := func(mark []byte) {
		if len(mark) > 0 && mark[0] == '{' {
			n++
		}
	}
	if !d.a.place.Partner {
		count(d.r.Raw(chat.CacheControl))
	}
	for tool := range rawjson.Elements(d.tools.raw) {
		if !gatewayTool(chat.Member(tool, "type")) {
			count(chat.Member(tool, "cache_control"))
		}
	}
	if d.r.Has&chat.HasCacheControl == 0 {
		return n
	}
	for i := range d.talk.system {
		count(d.talk.system[i].cache)
	}
	for i := range d.talk.turns {
		d.talk.turns[i].marks(count)
	}
	return n
}

func (u *turn) marks(count func([]byte)) {
	for i := range u.body {
		count(u.body[i].cache)
	}
	for i := range u.calls {
		count(chat.Member(u.calls[i].call.Raw, "cache_control"))
		if m := u.calls[i].answer; m != nil {
			count(m.CacheControl)
			for _, p := range m.Parts {
				count(p.CacheControl)
			}
		}
	}
}
