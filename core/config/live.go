package config

import (
	"maps"
	"reflect"
	"sync"
	"sync/atomic"
	"time"
)

// Live holds the settings of a running server. They are read, checked and swapped
// as a whole, so that a reader never sees half of a change and a mistake changes
// nothing.
type Live struct {
	current atomic.Pointer[Config]
	last    atomic.Pointer[Report]

	started *Config // the settings at the start

	mu       sync.Mutex // one reload at a time; guards what is below
	sources  Sources
	onChange []func(old, changed *Config, report Report)
}

// Report says what a reload did.
type Report struct {
	Time    time.Time
	Cause   string // such as "SIGHUP", "change of bgremover.toml", "operator"
	Changes []Change
	Err     error // Errors; nothing was changed
}

// Change is one setting that has changed.
type Change struct {
	Key, From, To string // secrets are not shown
	Help          string
	Restart       bool // takes effect only at the next start
}

// Open loads the sources for the first time.
func Open(sources Sources) (*Live, error) {
	c, err := Load(sources)
	if err != nil {
		return nil, err
	}
	l := &Live{started: c, sources: sources}
	l.current.Store(c)
	return l, nil
}

// Current returns the settings in force; those that need a restart keep the value
// that they had at the start. Call it again for each piece of work.
func (l *Live) Current() *Config { return l.current.Load() }

// Last returns the latest reload that changed something or failed; nil if none
// has.
func (l *Live) Last() *Report { return l.last.Load() }

// OnChange registers f for each reload that changes something or fails; after a
// failure old and changed are both the settings in force. Calls do not overlap.
func (l *Live) OnChange(f func(old, changed *Config, report Report)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.onChange = append(l.onChange, f)
}

// Reload reads all sources again.
func (l *Live) Reload(cause string) Report {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.swap(cause, l.sources)
}

// Apply sets values for the operator's page: until the next start, or in the file
// too. What the environment or a flag sets cannot be changed.
func (l *Live) Apply(values map[string]string, persist bool) Report {
	l.mu.Lock()
	defer l.mu.Unlock()
	sources := l.sources
	sources.Operator = map[string]string{}
	maps.Copy(sources.Operator, l.sources.Operator)
	maps.Copy(sources.Operator, values)
	if problems := l.locked(values); len(problems) > 0 {
		return l.report(Report{Time: time.Now(), Cause: "operator", Err: problems}, l.Current())
	}
	if persist {
		if _, err := Load(sources); err != nil {
			return l.report(Report{Time: time.Now(), Cause: "operator", Err: err}, l.Current())
		}
		path, _ := sources.path()
		if err := persistTo(path, values); err != nil {
			return l.report(Report{Time: time.Now(), Cause: "operator", Err: err}, l.Current())
		}
		for key := range values {
			delete(sources.Operator, key) // now in the file
		}
	}
	sources.Operator = differing(sources)
	return l.swap("operator", sources)
}

// differing returns what the operator has set, without what is so anyway.
func differing(sources Sources) map[string]string {
	set, err := Load(sources)
	others := sources
	others.Operator = nil
	anyway, otherErr := Load(others)
	if err != nil || otherErr != nil {
		return sources.Operator
	}
	all := map[string]string{}
	for i, v := range set.values {
		if text, given := sources.Operator[v.Key]; given && v.raw != anyway.values[i].raw {
			all[v.Key] = text
		}
	}
	return all
}

// Preview returns the settings as Apply would make them, and changes nothing.
func (l *Live) Preview(values map[string]string) (*Config, error) {
	l.mu.Lock()
	sources := l.sources
	l.mu.Unlock()
	sources.Operator = maps.Clone(sources.Operator)
	if sources.Operator == nil {
		sources.Operator = map[string]string{}
	}
	maps.Copy(sources.Operator, values)
	return Load(sources)
}

// Revert undoes what Apply has set until the next start: the file's value is back, or
// the default.
func (l *Live) Revert(key string) Report {
	l.mu.Lock()
	defer l.mu.Unlock()
	sources := l.sources
	sources.Operator = maps.Clone(sources.Operator)
	delete(sources.Operator, key)
	return l.swap("operator", sources)
}

func (l *Live) locked(values map[string]string) (problems Errors) {
	for _, v := range l.Current().values {
		if text, wanted := values[v.Key]; wanted && v.Locked && text != v.Text {
			problems = append(problems, Error{Key: v.Key, Value: v.shown(), Origin: v.Origin, Message: "is set there, and cannot be changed here"})
		}
	}
	return problems
}

func (l *Live) swap(cause string, sources Sources) Report {
	report := Report{Time: time.Now(), Cause: cause}
	changed, err := Load(sources)
	old := l.Current()
	if err != nil {
		report.Err = err
		return l.report(report, old)
	}
	l.sources = sources
	report.Changes = differences(old, changed)
	changed.keepUntilStart(l.started)
	l.current.Store(changed)
	if len(report.Changes) == 0 {
		return report
	}
	return l.report(report, old)
}

func (l *Live) report(report Report, old *Config) Report {
	l.last.Store(&report)
	for _, f := range l.onChange {
		f(old, l.Current(), report)
	}
	return report
}

func differences(old, changed *Config) (all []Change) {
	for i, s := range settings {
		if old.values[i].raw != changed.values[i].raw {
			all = append(all, Change{s.key, old.values[i].shown(), changed.values[i].shown(), s.help, !s.live})
		}
	}
	if !reflect.DeepEqual(old.Backends, changed.Backends) {
		all = append(all, Change{"backends", names(old.Backends), names(changed.Backends), "backends of the settings file", false})
	}
	return all
}

func names(backends []Backend) string {
	k := list(name)
	var all []string
	for _, b := range backends {
		all = append(all, b.Name)
	}
	return k.format(all)
}
