package credentials

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/leeward-ctem/leeward/discover/scan/scantest"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/internal/testkit/live"
)

// A real PostgreSQL, with each way to ask for a password.
func TestPostgres(t *testing.T) {
	t.Parallel()
	cluster, err := live.StartCluster()
	if err != nil {
		live.Missing(t, err.Error())
	}
	t.Cleanup(cluster.Stop)
	db, err := pgx.Connect(t.Context(), cluster.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(t.Context())
	do := func(sql string) {
		t.Helper()
		if _, err := db.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	var hba string
	if err := db.QueryRow(t.Context(), "SHOW hba_file").Scan(&hba); err != nil {
		t.Fatal(err)
	}
	do("CREATE ROLE postgres LOGIN")
	port := int(db.Config().Port)
	for _, tt := range []struct {
		method, kept, password string
		want                   []string
		covered                bool
	}{
		{"scram-sha-256", "scram-sha-256", "postgres", []string{"credentials/default-postgresql"}, false},
		{"scram-sha-256", "scram-sha-256", "example", []string{"credentials/default-postgresql"}, false},
		{"scram-sha-256", "scram-sha-256", "f8-Qz!unguessed", []string{}, true},
		{"md5", "md5", "mysecretpassword", []string{"credentials/default-postgresql"}, false},
		{"md5", "md5", "f8-Qz!unguessed", []string{}, true},
		{"password", "md5", "postgres", []string{"credentials/default-postgresql"}, false},
		{"password", "md5", "f8-Qz!unguessed", []string{}, true},
		{"trust", "md5", "f8-Qz!unguessed", []string{"credentials/none-postgresql"}, false},
		{"reject", "md5", "postgres", []string{}, true},
	} {
		t.Run(tt.method+" "+tt.password, func(t *testing.T) {
			do("SET password_encryption = '" + tt.kept + "'")
			do("ALTER ROLE postgres PASSWORD '" + tt.password + "'")
			rules := "local all all trust\nhost all leeward 127.0.0.1/32 trust\nhost all postgres 127.0.0.1/32 " + tt.method + "\n"
			if err := os.WriteFile(hba, []byte(rules), 0o600); err != nil {
				t.Fatal(err)
			}
			do("SELECT pg_reload_conf()")
			for { // the server takes it up a little later
				var now string
				if err := db.QueryRow(t.Context(), "SELECT string_agg(auth_method, ' ' ORDER BY line_number) FROM pg_hba_file_rules").Scan(&now); err != nil {
					t.Fatal(err)
				}
				if strings.HasSuffix(now, " "+tt.method) {
					break
				}
			}
			// pg_hba_file_rules is of the file; a new connection is of the rules in force.
			do("SELECT pg_sleep(0.1)")
			all, errs := scantest.Run(t, quick(), at(t, "postgresql", port))
			if diff := cmp.Diff(tt.want, scantest.Rules(all)); diff != "" || len(errs) > 0 {
				t.Errorf("%s %v", diff, errs)
			}
			if scantest.Covered(all, class, "credentials/default-postgresql", exposure.Location{Port: port}) != tt.covered {
				t.Errorf("covered: %v", all)
			}
		})
	}
}
