// Package wire holds every message that the planes exchange, one per file with
// its encoding, and every name under which NATS carries them. Readers ignore
// fields that they do not know and refuse a version newer than their own.
package wire

// Version is the major version of every message here. A reader refuses a
// message with a greater one.
const Version = 1

// NATS names. Nothing else in the gateway spells one.
const (
	// BeatSubject carries a Beat each second and on every change.
	BeatSubject = "cfg.v1.beat"
	// ConfigBucket is the KV bucket with the current documents. Nodes GET them
	// directly; there are no watchers, which do not survive a lost store.
	ConfigBucket = "cfg"
	// ReleaseKey holds the current Release as a sealed document.
	ReleaseKey = "release"
	// CanaryKey holds the last Canary as a sealed document. It is in service only
	// while beats announce it.
	CanaryKey = "canary"
	// KeyTableKey holds the current KeyTable as a sealed document.
	KeyTableKey = "keys"

	// NodeStatusPrefix + node id carries a NodeStatus.
	NodeStatusPrefix = "dp.v1.status."

	// AskPrefix begins the questions that nodes answer.
	AskPrefix = "dp.v1.ask."
	// AskGeneration is a request with the id of a generation; the node that
	// knows it answers with its usage event, the others not at all.
	AskGeneration = AskPrefix + "generation"
	// AskSpent is a request with a key's id, or "" for all keys; every node
	// answers with a Spent.
	AskSpent = AskPrefix + "spent"
	// AskLedger is the same question to the control plane, which answers with
	// what the request log has, from before the nodes' starts too.
	AskLedger = AskPrefix + "ledger"

	// AskExplain is a Question to any one node, AskExplain + "." + node id to
	// that one, which answers with an Explanation.
	AskExplain = AskPrefix + "explain"

	// UsageStream stores usage frames until every sink has them.
	UsageStream = "USAGE"
	// UsagePrefix + node id is the subject of a node's frames.
	UsagePrefix = "usage.v1."
	// CommitPrefix + node id carries a Receipt after the sink's commit.
	CommitPrefix = "usage.commit."
	// SinkPrefix + store name is the durable consumer of a sink.
	SinkPrefix = "sink-"

	// DeadLetterStream keeps events that no store can take.
	DeadLetterStream = "USAGE_DLQ"
	// DeadLetterPrefix + store name is the subject of a sink's dead letters.
	DeadLetterPrefix = "usage.dlq.v1."
)

// Headers of a usage frame.
const (
	HeaderVersion  = "Gw-V"
	HeaderEncoding = "Gw-Enc" // "s2" or absent
	HeaderNode     = "Gw-Node"
	HeaderEpoch    = "Gw-Epoch" // the node's spool epoch
	HeaderFirst    = "Gw-First" // sequence number of the first event
	HeaderLast     = "Gw-Last"  // and of the last
	// HeaderReason says, of a dead letter, why it could not be stored.
	HeaderReason = "Gw-Reason"
)
