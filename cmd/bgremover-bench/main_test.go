package main

import (
	"io"
	"slices"
	"strings"
	"testing"

	"bgremover.pro/core/cutout"
)

func TestWhatIsComparedWith(t *testing.T) {
	for line, want := range map[string][]string{
		"photos":                         nil,
		"--compare photos":               {"imgly"},
		"--compare=rembg photos":         {"rembg"},
		"--compare=imgly,rembg photos":   {"imgly", "rembg"},
		"photos --compare=rembg-matting": {"rembg-matting"},
	} {
		cmd := command()
		if err := cmd.ParseFlags(strings.Fields(line)); err != nil {
			t.Fatal(err)
		}
		got, err := cmd.Flags().GetStringSlice("compare")
		if err != nil || !slices.Equal(got, want) || cmd.Flags().Arg(0) != "photos" {
			t.Errorf("%s: %q of %q, %v", line, got, cmd.Flags().Args(), err)
		}
	}
}

func TestComparisonsThatCannotBe(t *testing.T) {
	for line, want := range map[string]string{
		"--compare=nobody .":      "There is no peer \"nobody\"",
		"--compare imgly,rembg .": "Write --compare=imgly,rembg, with an equals sign.",
		"--compare rembg .":       "Write --compare=rembg, with an equals sign.",
	} {
		cmd := command()
		cmd.SetArgs(strings.Fields(line))
		cmd.SetOut(io.Discard)
		cmd.SetErr(io.Discard)
		if err := cmd.ExecuteContext(t.Context()); cutout.CodeOf(err) != cutout.Invalid || !strings.Contains(cutout.MessageOf(err), want) {
			t.Errorf("%s: %v", line, err)
		}
	}
}
