package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"bgremover.pro/core/app"
	"bgremover.pro/core/bench"
	"bgremover.pro/core/config"
	"bgremover.pro/core/cutout"
)

// clicks lets a robot correct the photos and prints how many clicks it takes. Mattes to
// begin with are read from the folder masks, where one is given, and stored there.
func clicks(cmd *cobra.Command, settings *config.Config, photos []string, most int, masks string) error {
	quiet := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelError}))
	return app.WithEngine(cmd.Context(), settings, quiet, func(engine *app.Engine) error {
		report, err := bench.Clicks(cmd.Context(), bench.ClickOptions{
			Photos: photos, Most: most,
			Progress: func(text string) { fmt.Fprintln(cmd.ErrOrStderr(), text) },
			First: func(ctx context.Context, file string, upload []byte) (*cutout.Mask, error) {
				return firstMatte(ctx, engine, upload, maskFile(masks, file))
			},
		})
		if err != nil {
			return err
		}
		return report.WriteText(cmd.OutOrStdout())
	})
}

// maskFile returns where a photo's matte is stored; "" for nowhere.
func maskFile(folder, photo string) string {
	if folder == "" {
		return ""
	}
	name := filepath.Base(photo)
	return filepath.Join(folder, strings.TrimSuffix(name, filepath.Ext(name))+".png")
}

func firstMatte(ctx context.Context, engine *app.Engine, upload []byte, stored string) (*cutout.Mask, error) {
	if stored != "" {
		file, err := os.ReadFile(stored)
		if err == nil {
			return readMatte(file)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	result, err := engine.Pipeline.Remove(ctx, cutout.Job{Upload: upload, Options: cutout.Options{Output: cutout.Matte, Mode: cutout.Best, Anyway: true}})
	if err != nil {
		return nil, err
	}
	if stored != "" {
		if err := os.WriteFile(stored, result.File, 0o644); err != nil { //nolint:gosec // the user's own pictures
			return nil, err
		}
	}
	return readMatte(result.File)
}

func readMatte(file []byte) (*cutout.Mask, error) {
	picture, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		return nil, err
	}
	grey, ok := picture.(*image.Gray)
	if !ok {
		return nil, cutout.Errorf(cutout.Invalid, "a matte is a grey PNG of 8 bits")
	}
	return &cutout.Mask{Width: grey.Rect.Dx(), Height: grey.Rect.Dy(), Pix: grey.Pix}, nil
}
