package main

import (
	"strings"

	"github.com/spf13/cobra"
)

// examples of the commands, for their help and their man pages.
var examples = map[string][]string{
	"": {"bgremover serve", "bgremover remove photo.jpg", "bgremover status --every 2s"},
	"serve": {"bgremover serve", "bgremover serve --listen 127.0.0.1:8000 --limits-device 20/1h",
		"BGREMOVER_CONFIG=/etc/bgremover.toml bgremover serve"},
	"remove": {"bgremover remove photo.jpg", "bgremover remove --mode best --background '#ffffff' --format jpeg photo.jpg",
		"bgremover remove --to results --watch folder", "bgremover remove --server https://example.org folder",
		"bgremover remove --video vp9 clip.mp4", "bgremover remove --to - - < photo.jpg > cutout.png"},
	"models pull":      {"bgremover models pull", "bgremover models pull u2net --runtime cpu", "bgremover models pull --from /media/usb"},
	"models use":       {"bgremover models use u2net", "bgremover models use isnet --persist"},
	"models derive":    {"bgremover models derive"},
	"models export":    {"bgremover models export --for triton models"},
	"backends":         {"bgremover backends", "bgremover backends --json"},
	"backends switch":  {"bgremover backends switch onnx-cpu", "bgremover backends use auto --persist"},
	"backends check":   {"bgremover backends check onnx-cpu", "bgremover backends check ./my-backend --port 9000"},
	"backends try":     {"bgremover backends try onnx-cpu --to cutout.png"},
	"limits":           {"bgremover limits", "bgremover limits --json"},
	"limits set":       {"bgremover limits set limits_device=100/1h", "bgremover limits set --persist limits_overrides=203.0.113.0/24=block", "bgremover limits set key:shop=1000/1h"},
	"limits preview":   {"bgremover limits preview limits_device=10/1h", "bgremover limits preview --address 198.51.100.7 limits_network=100/1h"},
	"limits revert":    {"bgremover limits revert limits_device"},
	"devices block":    {"bgremover devices block k3X9bQ"},
	"status":           {"bgremover status", "bgremover status --every 2s", "bgremover status --json"},
	"errors":           {"bgremover errors", "bgremover errors --json"},
	"config print":     {"bgremover config print"},
	"config example":   {"bgremover config example > bgremover.toml"},
	"config key":       {"bgremover config key shop 1000/1h"},
	"config secret":    {"bgremover config secret /etc/bgremover/device-secret"},
	"health":           {"bgremover health", "bgremover health --live"},
	"bench":            {"bgremover bench --html report.html folder", "bgremover bench --compare=imgly,rembg folder"},
	"models calibrate": {"bgremover models calibrate photos/*.jpg"},
}

// choices are what flags of these names accept, for the shells to complete.
var choices = map[string][]string{
	"mode": {"auto", "fast", "best"}, "format": {"png", "webp", "jpeg"}, "output": {"cutout", "mask"}, "edges": {"refined", "raw"}, "depth": {"8", "16"},
	"video": {"prores", "vp9", "png", "mp4"}, "for": {"triton", "kserve", "mlserver"}, "runtime": {"cpu", "cuda", "cuda12"}, "background": {"blur"},
}

// explain adds the examples and the completions to the commands.
func explain(root *cobra.Command) {
	for path, lines := range examples {
		if cmd, _, err := root.Find(strings.Fields(path)); err == nil {
			cmd.Example = "  " + strings.Join(lines, "\n  ")
		}
	}
	for _, cmd := range all(root) {
		for name, values := range choices {
			if cmd.Flags().Lookup(name) != nil && cmd.Name() != "serve" {
				_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(values, cobra.ShellCompDirectiveDefault))
			}
		}
		for name, complete := range map[string]cobra.CompletionFunc{"model": completeModels, "backend": completeBackends} {
			if cmd.Flags().Lookup(name) != nil {
				_ = cmd.RegisterFlagCompletionFunc(name, func(cmd *cobra.Command, _ []string, text string) ([]string, cobra.ShellCompDirective) {
					return complete(cmd, nil, text)
				})
			}
		}
	}
}

// all lists a command and those below it, but for hidden ones.
func all(cmd *cobra.Command) []*cobra.Command {
	list := []*cobra.Command{cmd}
	for _, sub := range cmd.Commands() {
		if !sub.Hidden {
			list = append(list, all(sub)...)
		}
	}
	return list
}
