package demo

import "github.com/leeward-ctem/leeward/exposure"

// infrastructure are settings of containers and clouds in files, and of what
// runs in the cluster. The rules are those of Checkov and Trivy.
func infrastructure() []check {
	in := func(asset, file string, line int, resource string) spot {
		return spot{asset: asset, where: exposure.Location{File: file, Line: line, Resource: resource}}
	}
	docker := func(assets ...string) (all []spot) {
		for _, a := range assets {
			all = append(all, in(a, "Dockerfile", 1, "Dockerfile"))
		}
		return all
	}
	deployment := func(line int, assets ...string) (all []spot) {
		for _, a := range assets {
			all = append(all, in(a, "deploy/deployment.yaml", line, "Deployment.prod"))
		}
		return all
	}
	const checkout, agent = "prod/pay/deployment/checkout", "prod/platform/daemonset/log-agent"
	running := func(resource string, assets ...string) (all []spot) {
		for _, a := range assets {
			all = append(all, spot{asset: a, where: exposure.Location{Resource: resource}, proof: output("container " + resource + ": as found in the cluster")})
		}
		return all
	}
	return []check{
		{"checkov", "misconfig", "CKV_DOCKER_2", low, 0, "Image has no health check",
			"The platform cannot tell whether the program works.", "Add HEALTHCHECK.",
			docker("shop/storefront", "shop/cart", "pay/fraud", "account/accounts", "delivery/tracking", "warehouse/wms-api")},
		{"checkov", "misconfig", "CKV_DOCKER_3", medium, 250, "Image runs as root",
			"Whoever breaks into the program is root in its container.", "Add USER with a number.",
			docker("shop/cart", "pay/fraud", "warehouse/wms-api")},
		{"checkov", "misconfig", "CKV_K8S_20", medium, 269, "Container may gain privileges",
			"allowPrivilegeEscalation is not false.", "Set it to false.",
			deployment(28, "shop/storefront", "shop/cart", "delivery/tracking", "warehouse/wms-api")},
		{"checkov", "misconfig", "CKV_K8S_22", low, 732, "Root file system can be written",
			"An attacker can leave programs in the container.", "Set readOnlyRootFilesystem and mount what must be written.",
			deployment(28, "shop/storefront", "shop/cart", "account/accounts", "delivery/tracking", "warehouse/wms-api")},
		{"checkov", "misconfig", "CKV_K8S_16", high, 250, "Container is privileged",
			"The container has all rights on the node.", "Remove privileged.",
			[]spot{in("warehouse/wms-api", "deploy/label-printer.yaml", 19, "DaemonSet.prod.label-printer")}},
		{"checkov", "misconfig", "CKV_K8S_38", low, 0, "Service account token is mounted",
			"The program can speak to the cluster although it need not.", "Set automountServiceAccountToken to false.",
			deployment(15, "shop/cart", "pay/checkout", "pay/fraud")},
		{"checkov", "misconfig", "CKV_K8S_43", low, 1357, "Image is named by a tag",
			"What runs can change without a change of the file.", "Name it by digest.",
			deployment(24, "shop/storefront", "account/accounts", "delivery/tracking")},
		{"checkov", "misconfig", "CKV_AWS_24", high, 284, "SSH is open to the internet",
			"The security group lets any address reach port 22.", "Name the networks that need it.",
			[]spot{{asset: "delivery/tracking", where: exposure.Location{File: "terraform/network.tf", Line: 41, Resource: "aws_security_group.jump",
				Snippet: "ingress {\n  from_port   = 22\n  to_port     = 22\n  cidr_blocks = [\"0.0.0.0/0\"]\n}"}}}},
		{"checkov", "misconfig", "CKV_AWS_16", medium, 311, "Database is not encrypted at rest",
			"Disks and backups hold the data in clear.", "Set storage_encrypted.",
			[]spot{in("account/accounts", "terraform/db.tf", 9, "aws_db_instance.accounts"), in("warehouse/wms-api", "terraform/db.tf", 12, "aws_db_instance.wms")}},
		{"checkov", "misconfig", "CKV_AWS_17", high, 284, "Database has a public address",
			"The database can be reached from the internet.", "Set publicly_accessible to false.",
			[]spot{{asset: "warehouse/wms-api", where: exposure.Location{File: "terraform/db.tf", Line: 27, Resource: "aws_db_instance.wms", Snippet: "publicly_accessible = true"}, span: span{61, 76}}}},
		{"checkov", "misconfig", "CKV_AWS_21", info, 0, "Bucket keeps no versions",
			"What is overwritten is lost.", "Turn versioning on.",
			[]spot{in("delivery/tracking", "terraform/labels.tf", 3, "aws_s3_bucket.labels"), in("warehouse/wms-api", "terraform/exports.tf", 5, "aws_s3_bucket.exports")}},
		{"checkov", "misconfig", "CKV_AWS_18", low, 778, "Bucket writes no access log",
			"Who read what cannot be told.", "Name a bucket for logs.",
			[]spot{{asset: "delivery/tracking", where: exposure.Location{File: "terraform/labels.tf", Line: 3, Resource: "aws_s3_bucket.labels"}, state: exposure.StateSuppressed, span: span{10, 0},
				proof: proof{{Kind: "note", Text: "checkov:skip=CKV_AWS_18: labels are public and short-lived"}}}}},

		{"trivy", "misconfig", "KSV-0001", medium, 269, "Can gain privileges",
			"allowPrivilegeEscalation is not false.", "Set it to false.", running("log-agent", agent)},
		{"trivy", "misconfig", "KSV-0012", medium, 250, "Runs as root",
			"runAsNonRoot is not set.", "Set it to true.", append(running("log-agent", agent), running("checkout", checkout)...)},
		{"trivy", "misconfig", "KSV-0014", low, 732, "Root file system can be written",
			"readOnlyRootFilesystem is not set.", "Set it to true.", append(running("log-agent", agent), running("checkout", checkout)...)},
		{"trivy", "misconfig", "KSV-0017", high, 250, "Privileged",
			"The container has all rights on the node.", "Remove privileged and name the capabilities it needs.", running("log-agent", agent)},
		{"trivy", "misconfig", "KSV-0023", medium, 668, "Mounts paths of the node",
			"The container reads and writes files of the node.", "Mount only /var/log, and only for reading.", running("log-agent", agent)},
		{"trivy", "misconfig", "KSV-0011", low, 770, "Processor time is not limited",
			"One container can take all of a node.", "Set limits.", running("checkout", checkout)},
		{"trivy", "misconfig", "KSV-0106", low, 250, "Keeps capabilities",
			"Capabilities are not dropped.", "Drop ALL.", running("checkout", checkout)},
	}
}

// cloud are settings of the cloud account. The rules are those of Prowler.
func cloud() []check {
	const exports, labels = "arn:aws:s3:::harbelmoor-exports", "arn:aws:s3:::harbelmoor-parcel-labels"
	policy := output(`{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::harbelmoor-exports/*"}`)
	at := func(p proof, assets ...string) (all []spot) {
		for _, a := range assets {
			all = append(all, spot{asset: a, proof: p, span: span{16, 0}})
		}
		return all
	}
	return []check{
		{"prowler", "misconfig", "s3_bucket_public_access", critical, 284, "Bucket can be read by anyone",
			"Exports with names and addresses of customers can be downloaded without a login.",
			"Block public access on the bucket and the account.",
			[]spot{{asset: exports, proof: policy, span: span{16, 27}}, {asset: exports, proof: policy, span: span{93, 0}}}},
		{"prowler", "misconfig", "s3_bucket_policy_public_write_access", high, 284, "Bucket can be written by any account",
			"The policy lets every AWS account put objects.", "Name the accounts that may.",
			[]spot{{asset: labels, proof: output(`"Principal": {"AWS": "*"}, "Action": "s3:PutObject"`), span: span{16, 59}}}},
		{"prowler", "misconfig", "s3_bucket_secure_transport_policy", medium, 319, "Bucket accepts requests in clear text",
			"No policy asks for TLS.", "Deny requests without aws:SecureTransport.", at(nil, exports, labels)},
		{"prowler", "misconfig", "s3_bucket_kms_encryption", low, 311, "Bucket does not use a key of the company",
			"Objects are encrypted with the provider's key only.", "Use a key in KMS.", at(nil, exports)},
		{"prowler", "misconfig", "s3_bucket_object_versioning", low, 0, "Bucket keeps no versions",
			"What is overwritten or deleted is lost.", "Turn versioning on.", at(nil, exports, labels)},
		{"prowler", "misconfig", "s3_bucket_server_access_logging_enabled", low, 778, "Bucket writes no access log",
			"Who read what cannot be told.", "Name a bucket for logs.", at(nil, exports, labels)},
		{"prowler", "misconfig", "s3_bucket_no_mfa_delete", info, 0, "Versions can be deleted with one factor",
			"A stolen key is enough to delete backups for good.", "Turn MFA delete on for buckets with backups.", at(nil, exports)},
	}
}
