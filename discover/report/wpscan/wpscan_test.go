package wpscan_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/reporttest"
	"github.com/leeward-ctem/leeward/discover/report/wpscan"
)

func TestReader(t *testing.T) {
	reporttest.Run(t, wpscan.Reader{},
		reporttest.Open("their members are what was found, by its name or address", "confirmed_by", "plugins", "themes", "config_backups", "db_exports", "password_attack", "timthumbs", "users", "medias", "main_theme"),
	)
}
func TestCorpus(t *testing.T) { reporttest.Conform(t, wpscan.Reader{}, "wpscan") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, wpscan.Reader{}) }
