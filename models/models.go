// Package models holds the catalogue of the models and runtimes that
// BGRemover knows: what they are, where they come from, by which checksum they
// are recognised, under which licence they stand. The weights themselves are
// never part of the repository; core/model fetches them.
package models

import _ "embed"

// Catalogue is catalogue.toml.
//
//go:embed catalogue.toml
var Catalogue []byte
