package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"bgremover.pro/core/config"
	"bgremover.pro/core/cutout"
	"bgremover.pro/core/httpcache"
	"bgremover.pro/core/model"
	"bgremover.pro/core/web"
	"bgremover.pro/static"
)

// offerDevice lets visitors process photos on their own devices, once the files for
// that are prepared. Without the runtime for browsers, or where the model does not
// suit them, the page does not offer it.
func (a *App) offerDevice(ctx context.Context) {
	browser, err := a.engine.Store.Browser(ctx, a.live.Current().Inference.Model)
	if err != nil {
		if ctx.Err() == nil {
			a.log.Info("visitors cannot process photos on their own devices", "reason", cutout.MessageOf(err))
		}
		return
	}
	a.browser.Store(&browser)
	c := a.live.Current()
	settings := webSettings(c, &browser)
	a.settings.Store(settings)
	if offer := settings.OnDevice; offer != nil {
		a.log.Info("visitors may process photos on their own devices", "sizes", c.Inference.DeviceSizes, "bytes_for_each", offer.Bytes)
	}
}

// deviceFile is a file in the list that the page's scripts read.
type deviceFile struct {
	URL      string `json:"url"`
	Bytes    int64  `json:"bytes"`
	Transfer int64  `json:"transfer"`
	SHA256   string `json:"sha256"`
}

// deviceList is that list.
type deviceList struct {
	Graph deviceFile  `json:"graph"`
	Sizes []int       `json:"sizes"`
	Model deviceModel `json:"model"`
	// Mode and the limits are those of the server.
	Mode      string `json:"mode"`
	MaxPixels int    `json:"maxPixels"`
	MaxSide   int    `json:"maxSide"`
}

// deviceModel says how a picture enters the graph.
type deviceModel struct {
	Name  string     `json:"name"`
	Scale float32    `json:"scale"`
	Mean  [3]float32 `json:"mean"`
	Std   [3]float32 `json:"std"`
}

// onDevice describes what visitors' devices fetch; nil if they are offered nothing.
func onDevice(c *config.Config, browser *model.Browser) *web.OnDevice {
	if browser == nil || c.Inference.DeviceSizes == "off" || browser.Model.Name != c.Inference.Model {
		return nil
	}
	offer := &web.OnDevice{Files: map[string]*httpcache.File{}}
	f := browser.Graph
	graph := deviceFile{
		URL:   "/ondevice/" + f.SHA256[:16] + "/" + filepath.Base(f.Path),
		Bytes: f.Bytes, Transfer: f.Transfer, SHA256: f.SHA256,
	}
	offer.Files[graph.URL] = &httpcache.File{Path: f.Path, ContentType: "application/octet-stream", SHA256: f.SHA256, Encoded: f.Encoded}
	offer.Bytes = f.Transfer
	m := browser.Model
	list := deviceList{
		Graph: graph,
		Sizes: offeredSizes(browser.Sizes, c.Inference.DeviceSizes),
		Model: deviceModel{
			Name: m.Name, Scale: m.Scale, Mean: m.Mean, Std: m.Std,
		},
		Mode: c.Inference.Mode, MaxPixels: c.Inference.MaxPixels, MaxSide: c.Inference.MaxSide,
	}
	if len(list.Sizes) == 0 {
		return nil
	}
	for _, f := range static.Files() {
		if strings.HasPrefix(f.Name, "wasm/") {
			offer.Bytes += shortest(f)
		}
	}
	text, err := json.Marshal(list)
	if err != nil {
		return nil // strings and numbers always encode
	}
	sum := sha256.Sum256(text)
	offer.Content, offer.List = text, "/ondevice/"+hex.EncodeToString(sum[:8])+"/list.json"
	return offer
}

// shortest is the size in which a file is sent at best.
func shortest(f *static.File) int64 {
	if encoded := f.Encoded["br"]; encoded != nil {
		return int64(len(encoded))
	}
	return int64(len(f.Content))
}

// offeredSizes are the sizes that the operator allows, of those that there are.
func offeredSizes(all []int, allowed string) []int {
	if allowed == "all" {
		return all
	}
	var sizes []int
	for _, s := range all {
		if slices.Contains(strings.Split(allowed, ","), strconv.Itoa(s)) {
			sizes = append(sizes, s)
		}
	}
	return sizes
}
