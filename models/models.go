// Package models holds the catalogue of the models and runtimes that BGRemover knows: what
// they are, where they come from, their checksums, and their licences. The weights
// themselves are never part of the repository; core/model fetches them.
package models

import "embed"

// Catalogue is catalogue.toml.
//
//go:embed catalogue.toml
var Catalogue []byte

// Ranges holds NAME.ranges.json: what values the tensors of a model take, as
// `bgremover models calibrate` measured them.
//
//go:embed *.ranges.json
var Ranges embed.FS

// Check is a square JPEG with one plain subject, on which derived graphs are
// compared with the model that they were made from (README.md names its maker
// and licence).
//
//go:embed check.jpg
var Check []byte
