#!/usr/bin/env bash
# The whole pipeline in plain shell, for any CI that can run a script.
#
#   pipeline.sh validate      on every push: style, and mistakes, as a JUnit report
#   pipeline.sh preview       on a pull request: plan.md, by site.view of the last `plan` (or $SITE_VIEW). It runs nothing of
#                             the change and needs neither hosts nor store nor key: give it none
#   pipeline.sh plan          on the protected branch, before an apply: stead.plan, plan.md, plan.html, and site.view
#   pipeline.sh apply         after a person has read plan.md: exactly stead.plan, or nothing
#   pipeline.sh drift         every night: fails when hosts are not as they were left
#
# STEAD_STORE and STEAD_STORE_KEY say where the state is and open it; MAX_DISRUPTION is what may be disturbed without
# someone raising it for this one run.
set -euo pipefail

validate() {
    stead fmt --check
    stead validate --format junit > stead-validate.xml
    if compgen -G '*.test.yml' > /dev/null; then
        stead test --format junit > stead-test.xml
    fi
}

preview() {
    stead plan --untrusted "${SITE_VIEW:-site.view}" --format markdown --title "Plan of this pull request" > plan.md
}

plan() {
    local status=0
    stead plan --quiet --out stead.plan --save-view site.view --max-disruption "${MAX_DISRUPTION:-migrate}" --detailed-exitcode || status=$?
    case $status in
    0) echo "nothing to do" ;;
    2) echo "there are changes" ;;
    *) exit "$status" ;;
    esac
    stead show stead.plan --format markdown > plan.md
    stead show stead.plan --format html > plan.html
}

apply() {
    stead apply stead.plan --max-disruption "${MAX_DISRUPTION:-migrate}" --reason "pipeline ${CI_PIPELINE_ID:-by hand}"
}

drift() {
    stead drift --verbose
}

case ${1:-} in
validate | preview | plan | apply | drift) "$1" ;;
*)
    sed -n '2,11p' "$0"
    exit 1
    ;;
esac
