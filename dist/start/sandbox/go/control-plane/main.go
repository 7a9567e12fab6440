// Command control-plane is the control plane of a Kubernetes cluster in one program: etcd, kube-apiserver,
// kube-controller-manager and kube-scheduler. The first argument picks the part, the others are that part's own.
//
// One program, because the four share nearly all of their code: linked apart they take four times the disk.
package main

import (
	"fmt"
	"io"
	"os"
	_ "time/tzdata" // time zones of CronJobs, on machines that have none

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

var parts = map[string]func() *cobra.Command{
	"kube-apiserver":          newAPIServerCommand,
	"kube-controller-manager": controllermanager.NewControllerManagerCommand,
	"kube-scheduler":          func() *cobra.Command { return scheduler.NewSchedulerCommand() },
}

func main() {
	if len(os.Args) < 2 {
		refuse("no part given")
	}
	if os.Getenv("EXIT_WITH_STDIN") != "" {
		go exitWithStdin()
	}
	part := os.Args[1]
	// Each part reads os.Args itself, as if it were the whole program.
	os.Args = append([]string{part}, os.Args[2:]...)
	if part == "etcd" {
		etcdmain.Main(os.Args)
		return
	}
	command, known := parts[part]
	if !known {
		refuse(fmt.Sprintf("%q is not a part", part))
	}
	os.Exit(cli.Run(command()))
}

// exitWithStdin ends the part when whoever started it is gone, however it went: then its end of the pipe is closed.
func exitWithStdin() {
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(1)
}

func refuse(problem string) {
	fmt.Fprintf(os.Stderr, "control-plane: %s\nusage: control-plane etcd|kube-apiserver|kube-controller-manager|kube-scheduler [flags]\n", problem)
	os.Exit(2)
}
