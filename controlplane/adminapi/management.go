package adminapi

import (
	"encoding/json"
	"net/http"
	"time"
)

// ListManagedKeys lists keys as OpenRouter does.
func ListManagedKeys() Operation[ManagedKeyPage, ManagedKeys] {
	return get[ManagedKeyPage, ManagedKeys]("/api/v1/keys", tagManaged, "API keys, newest first, 100 a page")
}

// CreateManagedKey makes a key.
func CreateManagedKey() Operation[ManagedKeySpec, NewManagedKey] {
	return post[ManagedKeySpec, NewManagedKey]("/api/v1/keys", tagManaged, "Make an API key; its text is shown this once").created()
}

// GetManagedKey returns one key.
func GetManagedKey() Operation[ByHash, OneManagedKey] {
	return get[ByHash, OneManagedKey]("/api/v1/keys/{hash}", tagManaged, "One API key")
}

// ChangeManagedKey changes a key.
func ChangeManagedKey() Operation[ManagedKeyPatch, OneManagedKey] {
	return operation[ManagedKeyPatch, OneManagedKey](http.MethodPatch, "/api/v1/keys/{hash}", tagManaged, "Change an API key")
}

// DeleteManagedKey revokes a key.
func DeleteManagedKey() Operation[ByHash, Deleted] {
	return operation[ByHash, Deleted](http.MethodDelete, "/api/v1/keys/{hash}", tagManaged, "Revoke an API key on all nodes")
}

// GetActivity sums up usage by day.
func GetActivity() Operation[ActivityQuery, Activities] {
	return get[ActivityQuery, Activities]("/api/v1/activity", tagManaged, "Usage of the last 30 complete days by day, model and endpoint")
}

// GetCredits returns what was spent.
func GetCredits() Operation[None, Credits] {
	return get[None, Credits]("/api/v1/credits", tagManaged, "What all keys have cost")
}

// ManagedPage is how many keys a page has.
const ManagedPage = 100

// ManagedKeyPage is a part of the list of keys.
type ManagedKeyPage struct {
	Offset          int    `json:"-" query:"offset" min:"0" max:"1000000"`
	IncludeDisabled bool   `json:"-" query:"include_disabled"`
	WorkspaceID     string `json:"-" query:"workspace_id" doc:"there is one workspace: default"`
}

// ByHash names a key by its hash, which the list shows.
type ByHash struct {
	Hash string `json:"-" path:"hash"`
}

// ManagedKeySpec is a key to be made.
type ManagedKeySpec struct {
	Name        string   `json:"name" maxlen:"200"`
	Limit       *float64 `json:"limit,omitempty" doc:"budget in USD"`
	LimitReset  *string  `json:"limit_reset,omitempty" doc:"daily, weekly or monthly; by default the limit is for all time"`
	ExpiresAt   *string  `json:"expires_at,omitempty" doc:"a time such as 2030-01-31T00:00:00Z"`
	IncludeBYOK bool     `json:"include_byok_in_limit,omitempty" doc:"all usage is in the limit, whatever it says: keys of providers are the operator's"`
	Creator     *string  `json:"creator_user_id,omitempty" doc:"the user whose key it is; by default the name"`
	WorkspaceID *string  `json:"workspace_id,omitempty" enum:"default" doc:"there is one workspace: default"`
}

// ManagedKeyPatch changes a key; what is missing stays as it is.
type ManagedKeyPatch struct {
	ByHash
	Name        *string         `json:"name,omitempty" maxlen:"200"`
	Disabled    *bool           `json:"disabled,omitempty"`
	Limit       json.RawMessage `json:"limit,omitempty" doc:"budget in USD, or null for none"`
	LimitReset  json.RawMessage `json:"limit_reset,omitempty" doc:"daily, weekly, monthly, or null for never"`
	IncludeBYOK *bool           `json:"include_byok_in_limit,omitempty"`
}

// ManagedKey is a key in OpenRouter's form.
type ManagedKey struct {
	Hash           string     `json:"hash"`
	Name           string     `json:"name"`
	Label          string     `json:"label" doc:"the beginning of the key, to recognize it by"`
	Disabled       bool       `json:"disabled"`
	Limit          *USD       `json:"limit" doc:"budget in USD; null for none"`
	LimitRemaining *USD       `json:"limit_remaining"`
	LimitReset     *string    `json:"limit_reset" doc:"daily, weekly, monthly; null for never"`
	IncludeBYOK    bool       `json:"include_byok_in_limit"`
	Usage          USD        `json:"usage"`
	UsageDaily     USD        `json:"usage_daily"`
	UsageWeekly    USD        `json:"usage_weekly"`
	UsageMonthly   USD        `json:"usage_monthly"`
	BYOK           USD        `json:"byok_usage"`
	BYOKDaily      USD        `json:"byok_usage_daily"`
	BYOKWeekly     USD        `json:"byok_usage_weekly"`
	BYOKMonthly    USD        `json:"byok_usage_monthly"`
	CreatedAt      time.Time  `json:"created_at"`
	UpdatedAt      *time.Time `json:"updated_at"`
	ExpiresAt      *time.Time `json:"expires_at"`
	Creator        *string    `json:"creator_user_id"`
	ExternalUser   *string    `json:"external_user"`
	WorkspaceID    string     `json:"workspace_id"`
}

// USD is an exact decimal that JSON has as a number.
type USD = json.RawMessage

// ManagedKeys is a page of keys.
type ManagedKeys struct {
	Data []ManagedKey `json:"data"`
}

// OneManagedKey is one of them.
type OneManagedKey struct {
	Data ManagedKey `json:"data"`
}

// NewManagedKey is a key that was just made, with its text.
type NewManagedKey struct {
	OneManagedKey
	Key string `json:"key"`
}

// Deleted says that a key was revoked.
type Deleted struct {
	Deleted bool `json:"deleted"`
}

// ActivityQuery selects days.
type ActivityQuery struct {
	Date   string `json:"-" query:"date" doc:"one day in UTC such as 2030-01-31, of the last 30 complete ones"`
	APIKey string `json:"-" query:"api_key_hash" doc:"only usage of the key with that hash"`
	User   string `json:"-" query:"user_id" doc:"only usage of that user"`
}

// Activities are what was used.
type Activities struct {
	Data []Activity `json:"data"`
}

// Activity is what one model used at one endpoint on one day in UTC.
type Activity struct {
	Date             string `json:"date"`
	Model            string `json:"model"`
	Permaslug        string `json:"model_permaslug"`
	EndpointID       string `json:"endpoint_id"`
	ProviderName     string `json:"provider_name"`
	Usage            USD    `json:"usage"`
	BYOKUsage        USD    `json:"byok_usage_inference"`
	Requests         int64  `json:"requests"`
	PromptTokens     int64  `json:"prompt_tokens"`
	CompletionTokens int64  `json:"completion_tokens"`
	ReasoningTokens  int64  `json:"reasoning_tokens"`
}

// Credits are what was paid and what was used. Nothing is paid in advance.
type Credits struct {
	Data CreditTotals `json:"data"`
}

// CreditTotals are in USD.
type CreditTotals struct {
	Total USD `json:"total_credits"`
	Usage USD `json:"total_usage"`
}
