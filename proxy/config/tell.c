/* Prints faults and warnings. */
#include "proxy/config/reader.h"

#include <stdarg.h>

static void print_origin(const struct config_reader *reader, struct config_origin origin, FILE *out)
{
	if (origin.variable != NULL)
		config_print_variable(origin.variable, out);
	else
		(void)fputs(reader->name, out);
	if (origin.line > 0)
		(void)fprintf(out, ":%u", origin.line);
	(void)fputs(": ", out);
}

void config_fault(struct config_reader *reader, struct config_origin origin, const char *format,
		  ...)
{
	reader->fault_count++;
	if (reader->fault_count == CONFIG_MAX_FAULTS + 1)
		(void)fprintf(reader->faults, "%s: there are more faults; fix these first\n",
			      reader->name);
	if (reader->fault_count > CONFIG_MAX_FAULTS)
		return;
	print_origin(reader, origin, reader->faults);
	va_list arguments;
	va_start(arguments, format);
	(void)vfprintf(reader->faults, format, arguments);
	va_end(arguments);
	(void)fputc('\n', reader->faults);
}

static void warn(struct config_reader *reader, struct config_origin origin, const char *word,
		 const char *format, va_list arguments)
{
	if (reader->warnings == NULL)
		return;
	print_origin(reader, origin, reader->warnings);
	(void)fputs(word, reader->warnings);
	(void)vfprintf(reader->warnings, format, arguments);
	(void)fputc('\n', reader->warnings);
}

void config_warning(struct config_reader *reader, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	warn(reader, (struct config_origin){0}, "warning: ", format, arguments);
	va_end(arguments);
}

void config_note(struct config_reader *reader, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	warn(reader, (struct config_origin){0}, "note: ", format, arguments);
	va_end(arguments);
}

void config_warning_at(struct config_reader *reader, struct config_origin origin,
		       const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	warn(reader, origin, "warning: ", format, arguments);
	va_end(arguments);
}
