/*
 * signals.h: how a child of the master that has threads of libraries takes
 * signals.  (A worker reads them from a descriptor instead.)
 * Layer: base.
 * Written by: the process for itself, at its start.
 */
#ifndef BASE_SIGNALS_H
#define BASE_SIGNALS_H

/* SIGTERM goes to the handler; what is the terminal's or the master's to
 * answer, a broken pipe, and a limit on file sizes are ignored, so that they
 * are errors of the call that met them.  None stays blocked. */
void	signals_of_child(void (*on_term)(int));

#endif
