package adminapi

import "time"

// GetLedger accounts for every usage event.
func GetLedger() Operation[LedgerQuery, Ledger] {
	return get[LedgerQuery, Ledger]("/admin/ledger", tagLog, "Account for every usage event")
}

// ListDeadLetters lists dead letters.
func ListDeadLetters() Operation[LetterPage, []DeadLetter] {
	return get[LetterPage, []DeadLetter]("/admin/deadletters", tagLog, "Usage events that could not be stored")
}

// ReplayDeadLetters gives dead letters to the stores again.
func ReplayDeadLetters() Operation[LetterChange, LettersDone] {
	return post[LetterChange, LettersDone]("/admin/deadletters/replay", tagLog, "Replay dead letters")
}

// DropDeadLetters removes dead letters.
func DropDeadLetters() Operation[LetterChange, LettersDone] {
	return post[LetterChange, LettersDone]("/admin/deadletters/drop", tagLog, "Delete dead letters")
}

// LedgerQuery says how far back to look for gaps.
type LedgerQuery struct {
	Since string `json:"-" query:"since" default:"24h" doc:"a time, or a duration back such as 90m or 7d"`
}

// Ledger is where every usage event is.
type Ledger struct {
	Nodes        []Balance `json:"nodes"`
	Sum          Balance   `json:"sum"`
	Sinks        []Sink    `json:"sinks"`
	StreamFrames uint64    `json:"stream_frames"`
	StreamBytes  uint64    `json:"stream_bytes"`
	DeadLetters  uint64    `json:"dead_letters"`
	Gaps         []Gap     `json:"gaps"`
}

// Balance is where the events are that a node has issued since it started,
// those that it found in its spool included.
type Balance struct {
	Node   string `json:"node"`
	State  string `json:"state"`
	Issued uint64 `json:"issued"`
	Stored uint64 `json:"stored" doc:"known to be in the database"`
	// DeadLettered were refused by the database. A replay that succeeds makes
	// them Stored; dropped ones stay here.
	DeadLettered uint64 `json:"dead_lettered" doc:"refused by the database"`
	InTransit    uint64 `json:"in_transit" doc:"handed to NATS, not known to be in the database"`
	Pending      uint64 `json:"pending" doc:"with the node, not handed to NATS"`
	Lost         uint64 `json:"lost"`
	// SpooledBytes are the files that keep what is pending.
	SpooledBytes int64 `json:"spooled_bytes"`
	Balanced     bool  `json:"balanced" doc:"issued = stored + dead_lettered + in_transit + pending + lost"`
}

// Sink is how far a store is with the usage events.
type Sink struct {
	Sink    string `json:"sink"`
	Waiting uint64 `json:"waiting_frames"`
	InHand  int    `json:"frames_in_hand" doc:"frames that the collector has taken and not yet acknowledged"`
}

// Gap is a run of numbers of a node's events without rows.
type Gap struct {
	Node  string `json:"node"`
	Epoch string `json:"epoch"`
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
}

// LetterPage is a part of the list of dead letters, oldest first.
type LetterPage struct {
	Limit int    `json:"-" query:"limit" min:"1" max:"1000" default:"50"`
	After uint64 `json:"-" query:"after" doc:"only those with a higher id"`
}

// DeadLetter is a usage event, or a frame of them, that no store could take.
type DeadLetter struct {
	ID     uint64    `json:"id"`
	Sink   string    `json:"sink"`
	Time   time.Time `json:"time"`
	Node   string    `json:"node"`
	Epoch  string    `json:"epoch"`
	First  string    `json:"first"`
	Last   string    `json:"last"`
	Reason string    `json:"reason"`
	Bytes  int       `json:"bytes"`
	Event  string    `json:"event" doc:"the content as text; empty if it cannot be unpacked"`
}

// LetterChange names dead letters: either IDs, or All.
type LetterChange struct {
	Change
	IDs []uint64 `json:"ids,omitempty"`
	All bool     `json:"all,omitempty"`
}

// LettersDone are the dead letters that the change was made to.
type LettersDone struct {
	Done []uint64 `json:"done"`
}
