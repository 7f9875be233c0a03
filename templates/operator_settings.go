package templates

import (
	"time"

	"bgremover.pro/core/cutout"
)

// OperatorLimits is the form for the limits.
type OperatorLimits struct {
	Message OperatorMessage
	Fields  []OperatorField
	Keys    []OperatorField // the rates of API keys
	Persist bool
	Preview OperatorPreview
	Hits    []OperatorHit
}

// OperatorField is one setting in the form: a field, or a table of two columns.
type OperatorField struct {
	OperatorSetting
	Label   string
	Columns []string
	Rows    []OperatorPair // the last is empty, for a new one
}

// OperatorPair is a row of such a table.
type OperatorPair struct{ Who, Rate string }

// OperatorPreview says whom a change of the limits would refuse now.
type OperatorPreview struct {
	Shown    bool
	Message  OperatorMessage
	Senders  int      // of the last day
	Refused  []string // who are not refused yet
	Already  int      // are refused now, and would be
	Admitted []string // are refused now, and would not be
	Address  string   // a sentence about the address that was asked about
}

// OperatorHit counts refusals by one limit since startup.
type OperatorHit struct {
	Name  string
	Count int64
}

// OperatorDevices is the table of the busiest devices.
type OperatorDevices struct {
	Message OperatorMessage
	Rows    []OperatorDevice
}

// OperatorDevice is one row.
type OperatorDevice struct {
	ID      string        `json:"device"`
	Allowed int64         `json:"photos"`
	Refused int64         `json:"refused"`
	Last    time.Duration `json:"last_ns"` // since its latest request; 0 where unknown
	Blocked bool          `json:"blocked"`
	Program bool          `json:"program"` // with an API key
}

// OperatorLog is the state of the access log.
type OperatorLog struct {
	On bool
	cutout.LogStatus
}

// OperatorConfig is the configuration with its origins.
type OperatorConfig struct {
	Message  OperatorMessage
	Last     string // the latest reload in words; empty before the first
	Failed   bool
	Changes  []string
	Groups   []OperatorGroup
	Defaults int  // settings that have their defaults
	Waiting  int  // settings that wait for a restart
	Caches   bool // there are edge caches that can be purged
}

// OperatorGroup is settings that belong together.
type OperatorGroup struct {
	Name     string
	Settings []OperatorSetting
}

// OperatorSetting is one key of the configuration.
type OperatorSetting struct {
	Key, Value, Origin, Help, Accepts, Group string
	Live                                     bool   // a reload applies it
	Locked                                   bool   // set where this page cannot change it
	Changed                                  bool   // here, until the next start
	Waits                                    string // the value in force until a restart; empty if this one is
}
