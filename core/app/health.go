package app

import (
	"crypto/tls"
	"os"
	"sync"
	"time"

	"bgremover.pro/core/admin"
	"bgremover.pro/core/model"
)

// certificates lists those that the listeners present. The listeners loaded theirs at the
// start, so these are read then too.
func (a *App) certificates(public *tls.Config, operator admin.Access) func() []admin.Certificate {
	var all []admin.Certificate
	if public != nil && public.Certificates[0].Leaf != nil {
		all = append(all, admin.Certificate{Listener: "public", Expires: public.Certificates[0].Leaf.NotAfter})
	}
	if operator.Cert != "" {
		if pair, err := tls.LoadX509KeyPair(operator.Cert, operator.Key); err == nil && pair.Leaf != nil {
			all = append(all, admin.Certificate{Listener: "operator", Expires: pair.Leaf.NotAfter})
		}
	}
	return func() []admin.Certificate { return all }
}

// inspector tells whether a model's file is still the one that was installed. A damaged
// file is not read again until it changes.
type inspector struct {
	store *model.Store

	mu       sync.Mutex
	name     string
	bytes    int64
	modified time.Time
	err      error
}

func (i *inspector) damaged(name string) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	var bytes int64
	var modified time.Time
	if info, err := os.Stat(i.store.File(name)); err == nil {
		bytes, modified = info.Size(), info.ModTime()
	}
	if i.name != name || i.bytes != bytes || !i.modified.Equal(modified) {
		_, err := i.store.Original(name)
		i.name, i.bytes, i.modified, i.err = name, bytes, modified, err
	}
	return i.err
}
