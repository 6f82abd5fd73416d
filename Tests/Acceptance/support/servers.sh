# shellcheck shell=bash
# Sourced behind facts.sh by scripts that talk to servers: number N of MariaDB's lives in $work/myN, what PostgreSQL's
# said when it started stands in $work/pgN.env.

# my N ARG... : the client of MariaDB server N; comments count, for they stand in routines
my() {
    local config=$work/my$1/my.cnf
    shift
    mariadb --defaults-file="$config" --comments --batch --skip-column-names "$@"
}

# pg N PROGRAM ARG... : one of PostgreSQL's programs against server N
pg() {
    local n=$1 program=$2
    shift 2
    (
        # shellcheck source=/dev/null
        . "$work/pg$n.env"
        export PGHOST PGPORT PGUSER
        case $program in
            psql) exec "$PGBIN/psql" -X -q -v ON_ERROR_STOP=1 "$@" ;;
            *) exec "$PGBIN/$program" "$@" ;;
        esac
    )
}
