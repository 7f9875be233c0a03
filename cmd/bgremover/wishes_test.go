package main

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"bgremover.pro/core/cutout"
)

// TestFlagsAreNamedLikeTheAPI: and their former names still work, unlisted.
func TestFlagsAreNamedLikeTheAPI(t *testing.T) {
	for line, want := range map[string]struct {
		output cutout.Output
		keep   bool
		target string
	}{
		"":                               {cutout.Cutout, false, ""},
		"--output mask --keep-uncertain": {cutout.Matte, true, ""},
		"--what mask --anyway":           {cutout.Matte, true, ""},
		"--what mask --output cut.png":   {cutout.Matte, false, "cut.png"},
		"--output -":                     {cutout.Cutout, false, "-"},
		"--output out/":                  {cutout.Cutout, false, "out/"},
	} {
		var w wishes
		cmd := &cobra.Command{}
		w.add(cmd)
		if err := cmd.ParseFlags(strings.Fields(line)); err != nil {
			t.Fatal(err)
		}
		target := w.formerOutput()
		options, err := w.options()
		if err != nil || options.Output != want.output || options.Anyway != want.keep || target != want.target {
			t.Errorf("%q: output %q, keep %v, target %q, %v", line, options.Output, options.Anyway, target, err)
		}
		if usage := cmd.Flags().FlagUsages(); strings.Contains(usage, "--what") || strings.Contains(usage, "--anyway") {
			t.Errorf("former names are listed:\n%s", usage)
		}
	}
	var w wishes
	w.add(&cobra.Command{})
	*w.values["output"] = "maks"
	if _, err := w.options(); err == nil || w.formerOutput() != "" {
		t.Error("a misspelt kind is taken for a path")
	}
}

// TestFramesOnTheCommandLine: as the API reads them, and as they are sent to a server.
func TestFramesOnTheCommandLine(t *testing.T) {
	parse := func(line string) (w wishes) {
		cmd := &cobra.Command{}
		w.add(cmd)
		if err := cmd.ParseFlags(strings.Fields(line)); err != nil {
			t.Fatal(err)
		}
		return w
	}
	w := parse("--size 2000x1000 --margin 5")
	o, err := w.options()
	if err != nil || o.Layout == nil || *o.Layout.Frame != (cutout.Frame{Width: 2000, Height: 1000, Margin: 0.05}) {
		t.Errorf("%+v, %v", o.Layout, err)
	}
	values, files, err := w.fields(o)
	if err != nil || values["size"] != "2000x1000" || values["margin"] != "5" || len(files) != 0 {
		t.Errorf("%v, %v, %v", values, files, err)
	}
	w = parse("--size big")
	if _, err := w.options(); err == nil || !strings.Contains(err.Error(), "such as 2000x2000") {
		t.Error(err)
	}
}
