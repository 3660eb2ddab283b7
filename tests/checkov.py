"""`make checkov`: look for what is insecure in the templates, what CloudFormation makes of them, and workflows.

What it finds and is meant so has its reason in the template, under Metadata, where checkov reads it. A second look,
without that, fails if a resource has an exception that it does not need.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.support.cloud import ROOT, template
from tests.support.deployed import Deployed
from tests.support.transformed import resources
from tools.template import read_template

# Two stacks have everything together: a domain leads to CloudFront or to the API.
ACCOUNT = "123456789012"
CERTIFICATE = f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/01234567-89ab-cdef-0123-456789abcdef"
EVERYTHING = {
    "DomainName": "pets.example.com",
    "CertificateArn": CERTIFICATE,
    "ApiWebAclArn": f"arn:aws:wafv2:eu-west-1:{ACCOUNT}:regional/webacl/pets/01234567-89ab-cdef-0123-456789abcdef",
    "AlarmEmail": "operator@example.com",
    "MonthlyBudget": "100",
    "RecogniseAll": "true",
    "MethodMetrics": "true",
}
BEHIND_CLOUDFRONT = {
    "Cdn": "true",
    "CdnOnly": "true",
    "CdnLogs": "true",
    "WebAclArn": f"arn:aws:wafv2:us-east-1:{ACCOUNT}:global/webacl/pets/01234567-89ab-cdef-0123-456789abcdef",
}
Findings = set[tuple[str, str]]  # check, and resource or place in a workflow


def main(program: Path) -> None:
    """Run this checkov on everything. Exit with what it found, or with the exceptions that nothing needs."""
    with tempfile.TemporaryDirectory() as folder:
        deployed, bare = Path(folder) / "deployed", Path(folder) / "bare"
        accepted, left = Findings(), Findings()
        for name, parameters in (("api", EVERYTHING), ("cdn", EVERYTHING | BEHIND_CLOUDFRONT)):
            stack = made(parameters)
            accepted |= exceptions(stack)
            write(deployed / f"{name}.json", stack)
            write(bare / f"{name}.json", without_exceptions(stack))
        deployer = read_template(ROOT / "deployer.yaml")["Resources"]
        accepted |= exceptions(deployer)
        write(bare / "deployer.json", without_exceptions(deployer))
        for name in ("template.yaml", "deployer.yaml"):
            left |= look(program, "-f", str(ROOT / name), "--framework", "cloudformation")
        left |= look(program, "-d", str(deployed), "--framework", "cloudformation")
        left |= look(program, "-d", str(ROOT / ".github"), "--framework", "github_actions")
        found = look(program, "-d", str(bare), "--framework", "cloudformation")
    report = [f"{place}: {check} fails. Mend it, or accept it in the template." for check, place in sorted(left)]
    report += [f"{place}: take away {check}, which finds nothing." for check, place in sorted(accepted - found)]
    sys.exit("\n".join(report) or 0)


def made(parameters: dict[str, str]) -> dict[str, Any]:
    """Return the resources that CloudFormation makes with these parameters, with the Metadata of the template."""
    written, kinds = template()["Resources"], resources()
    return {
        logical: {
            "Type": kinds[logical]["Type"],
            "Metadata": written[origin(logical)].get("Metadata", {}),
            "Properties": properties,
        }
        for logical, properties in Deployed(**parameters).resources().items()
    }


def origin(logical: str) -> str:
    """Return the resource of template.yaml that SAM made this one of: ApiProdStage is of Api. Most are themselves."""
    names: list[str] = [name for name in template()["Resources"] if logical.startswith(name)]
    return max(names, key=len, default=logical)


def without_exceptions(stack: dict[str, Any]) -> dict[str, Any]:
    """Return these resources without Metadata."""
    return {logical: {**each, "Metadata": {}} for logical, each in stack.items()}


def exceptions(stack: dict[str, Any]) -> Findings:
    """Return what these resources' Metadata accepts. Each exception must have its reason."""
    skipped = [
        (logical, skip)
        for logical, each in stack.items()
        for skip in each.get("Metadata", {}).get("checkov", {}).get("skip", ())
    ]
    assert all(skip["comment"] for _, skip in skipped)
    return {(skip["id"], origin(logical)) for logical, skip in skipped}


def write(path: Path, stack: dict[str, Any]) -> None:
    """Write these resources as a template."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": stack}, indent=1))


def look(program: Path, *options: str) -> Findings:
    """Return the checks that fail, and where. Exit if checkov could not look."""
    command = [str(program), *options, "--skip-download", "--soft-fail", "--compact", "--output", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    answer = json.loads(done.stdout) if done.returncode == 0 and done.stdout else {}
    summary = answer.get("summary", {})
    if not summary.get("passed") or summary["parsing_errors"]:
        sys.exit(f"{done.stdout}\n{done.stderr}\ncheckov could not read {' '.join(options)}.")
    print(f"checkov {' '.join(options[-1:])}: {summary['passed']} passed, {summary['skipped']} accepted")
    failed = answer["results"]["failed_checks"]
    if options[-1] != "cloudformation":
        return {(each["check_id"], each["resource"]) for each in failed}
    return {(each["check_id"], origin(each["resource"].rpartition(".")[2])) for each in failed}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
